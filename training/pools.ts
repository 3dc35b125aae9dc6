// Pools for the typed slots of the seeds: names of many cultures, addresses, numbers, files and places.
// Larger and rarer than the seeds' own, so that the planner copies from the request instead of remembering.
export type Random = () => number

/** A small seeded generator (mulberry32): the same seed gives the same rows on every machine. */
export function random(seed: number): Random {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = a
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** FNV-1a, for splitting by text: stable across runs and machines. */
export function hash(text: string): number {
  let h = 0x811c9dc5
  for (const c of Buffer.from(text)) h = Math.imul(h ^ c, 0x01000193) >>> 0
  return h
}

export const pick = <T>(r: Random, items: readonly T[]): T => items[Math.floor(r() * items.length)]!

const words = (text: string): string[] => text.trim().split(/\s+/)

const given = words(`
Ana Bogdan Thandeka Kwabena Ilse Priya Mateus Yuki Oluwaseun Farida Zsófia Bartek Leila Nikos Aoife Siobhán Tariq Ingrid Mei Hiroshi
Soo-jin Rafael Chloé Björn Anneliese Dmitri Svetlana Ifeoma Chidi Ngozi Kofi Abena Amina Youssef Khadija Omar Layla Zeynep Emre Elif
Giulia Lorenzo Francesca Paolo Beatriz Thiago Camila Santiago Valentina Joaquín Ximena Wanjiru Kamau Achieng Otieno Sipho Nomvula Lerato
Arjun Meera Kavya Rohan Sunita Vikram Harpreet Gurpreet Nasreen Imran Shabnam Ashraf Rumana Tanvir Nguyet Minh Thuy Duc Linh Somchai
Malee Putri Budi Wayan Siti Ahmad Mei-Ling Wei Xiaoming Jing Haruto Sakura Kenji Aiko Ji-ho Min-seo Tenzin Pema Batbayar Oyuun Aruzhan
Nursultan Gulnara Rustam Davit Nino Ani Levon Tamar Yael Noam Shira Eitan Miriam Jonas Liv Astrid Søren Freja Eero Aino Jussi Katrín
Ólafur Maeve Cian Rhys Carys Ewan Isla Hamish Poppy Alfie Hazel Winston Delroy Shanice Marlon Keisha Darnell Brooke Tyler Madison Cody
Ruby Dexter Harriet Nigel Philippa Gareth Bethan Agnieszka Wojciech Kasia Zdeněk Jitka Miloš Jelena Dragan Vesna Luka Petra Ivo Mirela
Ionuț Raluca Andrei Stela Georgi Yana Kostas Eleni Despina Fatou Moussa Aminata Ousmane Awa Cheikh Jean-Luc Amélie Thérèse Benoît Solène
Pieter Femke Sanne Joost Marijke Bram Ulrike Jürgen Katja Torsten Heike Dieter Anke Moritz Greta Levi Ezra Juniper Silas Wren Otis Tove
`)
const family = words(`
Okonkwo Adeyemi Mensah Owusu Diallo Traoré Ndlovu Dlamini Mwangi Kamau Abebe Tesfaye Haddad Khoury Mansour Aziz Rahman Chowdhury Begum
Patel Iyer Raman Nair Kulkarni Banerjee Singh Kaur Gill Fernando Perera Silva Tan Lim Nguyen Tran Pham Santos Reyes Cruz Bautista Tanaka
Sato Yamamoto Kobayashi Kim Park Choi Jeong Chen Wang Zhang Huang Petrov Ivanova Kowalczyk Nowak Wiśniewska Novák Dvořáková Horváth Nagy
Popescu Ionescu Dimitrov Papadopoulos Yilmaz Demir Kaya Rossi Bianchi Ferrari Esposito García Fernández Ruiz Morales Ortega Vargas Rojas
Pereira Oliveira Almeida Dubois Lefèvre Moreau Girard Vandenberghe Janssen de Vries Bakker Müller Schneider Haverkamp Lindqvist Solheim
Nygaard Johansson Virtanen Mäkinen Jónsdóttir O'Brien Gallagher Byrne MacLeod Fraser Davies Llewellyn Whitfield Abernathy Thornton Blake
Carter Brooks Hayes Sullivan Ramirez Washington Freeman Goldberg Cohen Levi Bernstein Petrosyan Beridze Akhmetov Bat-Erdene Tamihana
`.replace(/de Vries/g, 'deVries')).map(n => n === 'deVries' ? 'de Vries' : n)
const titled = ['Dr.', 'Mr.', 'Mrs.', 'Ms', 'Prof.', 'Auntie', 'Uncle', 'Coach', 'Sister', 'Father', 'Captain', 'Pastor', 'Aunt', 'Herr', 'Madame']
const roles = ['Mom', 'Dad', 'Mum', 'Grandma', 'Granddad', 'Nana', 'my boss', 'the plumber', 'my landlord', 'the vet', 'my accountant', 'the babysitter', 'my wife', 'my husband', 'my sister', 'the electrician', 'my dentist']

export function person(r: Random): string {
  const x = r()
  if (x < 0.48) return pick(r, given)
  if (x < 0.9) return `${pick(r, given)} ${pick(r, family)}`
  return `${pick(r, titled)} ${r() < 0.3 ? pick(r, given) : pick(r, family)}`
}
/** Roles read as "my boss" in a request and "boss" in a look-up: only where a seed's slot is one. */
export const isRole = (text: string): boolean => roles.some(role => role.toLowerCase().endsWith(text.toLowerCase()))

const plain = (text: string): string => text.normalize('NFD').replace(/[^A-Za-z]/g, '').toLowerCase()
const domains = ['gmail.com', 'outlook.com', 'posteo.de', 'proton.me', 'yahoo.co.uk', 'example.org', 'nordlicht.no', 'studio-vela.it', 'uni-graz.at', 'acme.io', 'kransen.no', 'brightfield.co', 'tamarack.ca', 'lagos-print.ng', 'meiwa.co.jp', 'casa-verde.pt', 'hartley-law.com', 'stadt-koeln.de']
export function email(r: Random): string {
  const a = plain(pick(r, given)), b = plain(pick(r, family))
  const local = pick(r, [`${a}.${b}`, `${a[0]}.${b}`, a, `${a}${b}`, `${b}_${a}`, `${a}${Math.floor(r() * 90) + 10}`, 'info', 'office', 'billing', 'sales'])
  return `${local}@${pick(r, domains)}`
}

const digits = (r: Random, n: number): string => Array.from({length: n}, () => Math.floor(r() * 10)).join('')
export const phone = (r: Random): string => pick(r, [
  () => `+44 7700 900${digits(r, 3)}`, () => `+49 15${digits(r, 1)} ${digits(r, 4)} ${digits(r, 4)}`, () => `555-01${digits(r, 2)}`,
  () => `(415) 555-01${digits(r, 2)}`, () => `0${digits(r, 3)} ${digits(r, 6)}`, () => `+1 202 555 01${digits(r, 2)}`,
  () => `+33 6 ${digits(r, 2)} ${digits(r, 2)} ${digits(r, 2)} ${digits(r, 2)}`, () => `07${digits(r, 9)}`, () => `+91 ${digits(r, 5)} ${digits(r, 5)}`,
  () => `+27 8${digits(r, 1)} ${digits(r, 3)} ${digits(r, 4)}`, () => `+39 3${digits(r, 2)} ${digits(r, 7)}`,
])()

const stems = words(`budget invoice report agenda minutes contract lease quote proposal roster menu syllabus itinerary checklist manual
brochure floorplan timetable payslip statement receipt draft thesis chapter slides deck poster flyer photos logo map recipe scores
attendance inventory survey results letter application cv passport scan permit certificate warranty prescription bloods xray notes
guestlist playlist setlist script storyboard wireframe roadmap retro backlog estimate tender offer angebot rechnung facture devis vertrag`)
const endings = words('docx xlsx pptx txt csv png jpg odt md zip key numbers')
const part = (r: Random): string => pick(r, [pick(r, given).replace(/[^\w]/g, ''), String(2023 + Math.floor(r() * 4)), `v${1 + Math.floor(r() * 5)}`, 'FINAL', 'draft', `Q${1 + Math.floor(r() * 4)}`, pick(r, ['march', 'june', 'oct', 'week6', 'site_B', 'unit12', 'signed', 'kitchen', 'berlin', 'old'])])
export function file(r: Random, ending?: string): string {
  const glue = pick(r, ['_', '-', ' ', '_'])
  let name = [pick(r, stems), ...(r() < 0.75 ? [part(r)] : []), ...(r() < 0.25 ? [part(r)] : [])].join(glue)
  if (r() < 0.4) name = name[0]!.toUpperCase() + name.slice(1)
  return `${name}.${ending ?? pick(r, endings)}`
}

const streets = words('Mill Station Church Garden Harbour Lindenhof Bahnhof Victoria Queen Park Castle Elm Cedar Orchard Chapel River Market Canal Bridge King')
const town = words('Lisbon Kraków Leith Bruges Nairobi Osaka Turin Utrecht Bergen Izmir Recife Pune Accra Zagreb Lyon Malmö Oaxaca Hanoi Tbilisi Dunedin Halifax Porto Ghent Graz Tartu')
const kinds = ['Café', 'Bakery', 'Museum', 'Library', 'Sports Hall', 'Clinic', 'Theatre', 'Market', 'Station', 'Park', 'School', 'Hotel', 'Bookshop', 'Swimming Pool', 'Town Hall', 'Botanical Garden']
export const place = (r: Random): string => pick(r, [
  () => `${1 + Math.floor(r() * 180)} ${pick(r, streets)} ${pick(r, ['Street', 'Road', 'Lane', 'Avenue'])}`,
  () => `${pick(r, ['Rua', 'Calle', 'Via', 'Rue'])} ${pick(r, family)} ${1 + Math.floor(r() * 90)}`,
  () => `${pick(r, streets)} ${pick(r, kinds)}`,
  () => `${pick(r, family)}'s ${pick(r, ['Diner', 'Bakery', 'Garage', 'Farm', 'Bar'])}`,
  () => `${pick(r, town)} ${pick(r, ['Central', 'airport', 'train station', 'cathedral', 'old town', 'harbour', 'University'])}`,
  () => `Room ${1 + Math.floor(r() * 40)}${pick(r, ['', 'A', 'B', 'C'])}`,
  () => pick(r, town),
])()

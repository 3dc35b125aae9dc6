import {mkdir, readFile, readdir, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {Answer, Tool} from '../../src/core/types.ts'
import {contactsTools, type ContactsBackend} from '../../src/tools/contacts/contacts.ts'
import {openVdirContacts} from '../../src/tools/contacts/vdir-contacts.ts'
import {contactsContract} from './contacts-contract.ts'
import {contextFor, hostileTexts, program, runProgram, tempFolder, toolError} from './vdir-programs.ts'

let temp: Awaited<ReturnType<typeof tempFolder>>
let warnings: string[]
let dir: string
let backend: ContactsBackend
let phone: Tool
let email: Tool
beforeEach(async () => {
  temp = await tempFolder()
  dir = join(temp.path, 'contacts')
  warnings = []
  backend = openVdirContacts(dir, message => warnings.push(message))
  const tools = contactsTools(backend, {country: 'GB'})
  phone = tools[0] ?? expect.fail('no tool')
  email = tools[1] ?? expect.fail('no tool')
})
afterEach(() => temp.remove())

const card = (...lines: string[]): string => ['BEGIN:VCARD', 'VERSION:3.0', ...lines, 'END:VCARD', ''].join('\r\n')
const write = async (file: string, text: string): Promise<void> => {
  await mkdir(dirname(join(dir, file)), {recursive: true})
  await writeFile(join(dir, file), text)
}
const people = async (): Promise<void> => {
  await write('a/ana.vcf', card('UID:1', 'FN:Ana Duarte', 'N:Duarte;Ana;;;', 'NICKNAME:Mom', 'TEL;TYPE=CELL:+44 7700 900123', 'EMAIL:ana@example.org'))
  await write('a/jose.vcf', card('UID:2', 'FN:José Łukasz Núñez', 'N:Núñez;José;Łukasz;;', 'TEL;TYPE=WORK:+44 20 7946 0000', 'TITLE:Plumber & heating', 'CATEGORIES:Design team,Choir'))
  await write('a/bo.vcf', card('UID:3', 'FN:Dr. Bo Osei', 'N:Osei;Bo;;Dr.;', 'ORG:Acme;Marketing', 'EMAIL;TYPE=HOME:bo@home.example', 'EMAIL;TYPE=WORK:bo@acme.example', 'CATEGORIES:Design team'))
}
const get = async (tool: Tool, name: string, ...answers: Answer[]) => {
  const context = contextFor({answers})
  return {result: await tool.run({name}, context), questions: context.questions}
}

contactsContract('a vdir', async () => {
  const {path, remove} = await tempFolder()
  return {backend: openVdirContacts(join(path, 'vdir')), close: remove}
})

describe('finding', () => {
  test.each([
    ['Ana Duarte', '+44 7700 900123'], ['ana', '+44 7700 900123'], ['Duarte', '+44 7700 900123'], ['Mom', '+44 7700 900123'], ['my mom', '+44 7700 900123'],
    ["Ana's", '+44 7700 900123'], ['Aunt Ana', '+44 7700 900123'], ['José', '+44 20 7946 0000'], ['jose nunez', '+44 20 7946 0000'], ['Jose Lukasz', '+44 20 7946 0000'],
    ['plumber', '+44 20 7946 0000'], ['the plumber', '+44 20 7946 0000'], ['choir', '+44 20 7946 0000'], ['Anna Duarte', '+44 7700 900123'], ['Ana Durate', '+44 7700 900123'],
  ])('%s is found without a question', async (name, value) => {
    await people()
    const {result, questions} = await get(phone, name)
    expect(result.value).toBe(value)
    expect(questions).toEqual([])
  })

  test('the summary says whose number was found', async () => {
    await people()
    expect((await get(phone, 'mom')).result.summary).toBe("Found Ana Duarte's number: +44 7700 900123")
    expect((await get(email, 'Ana')).result.summary).toBe("Found Ana Duarte's address: ana@example.org")
  })

  test('a whole name goes before a part of one, and a name before a role', async () => {
    await people()
    await write('a/x.vcf', card('FN:Ana', 'TEL:+44 1') + card('FN:Plumber', 'TEL:+44 2 2222222'))
    expect((await get(phone, 'plumber')).result.value).toBe('+44 2 2222222')
  })

  test('the one written with the accent goes before the one without', async () => {
    await write('x.vcf', card('FN:Jose', 'EMAIL:without@example.org') + card('FN:José', 'EMAIL:with@example.org'))
    expect((await get(email, 'josé')).result.value).toBe('with@example.org')
    expect((await get(email, 'jose')).result.value).toBe('without@example.org')
  })

  test('a short name that is only nearly right is asked about, even if one contact fits', async () => {
    await people()
    const error = await toolError(get(phone, 'Anna'))
    expect(error.code).toBe('ambiguous')
    expect(error.candidates).toEqual([{value: '+44 7700 900123', label: 'Ana Duarte: +44 7700 900123', detail: 'cell'}])
    expect((await get(phone, 'Anna', {value: '+44 7700 900123'})).result.value).toBe('+44 7700 900123')
  })

  test('a guess can be turned down for a typed address', async () => {
    await write('x.vcf', card('FN:Daniel Roth', 'EMAIL:1@example.org'))
    const {result, questions} = await get(email, 'Dan', {value: ''}, {value: 'dan@example.org'})
    expect(result.value).toBe('dan@example.org')
    expect(questions.map(q => q.title)).toEqual(['There is no "Dan" in your contacts. Who is meant?', 'There is no "Dan" in your contacts. What is the email address?'])
  })

  test('two slips in a name, or one that two people are near to, are asked about', async () => {
    await people()
    expect((await toolError(get(phone, 'Ana Duran'))).code).toBe('ambiguous')
    await write('x.vcf', card('FN:Sam Marten', 'EMAIL:1@example.org') + card('FN:Sam Martin', 'EMAIL:2@example.org'))
    expect((await toolError(get(email, 'Sam Martyn'))).candidates).toHaveLength(2)
  })

  test('the beginning of a name is asked about, a name that is nothing like one is not found', async () => {
    await write('x.vcf', card('FN:Daniel Roth', 'EMAIL:1@example.org'))
    expect((await toolError(get(email, 'Dan'))).candidates).toHaveLength(1)
    expect((await toolError(get(email, 'Zygmunt'))).code).toBe('not-found')
  })

  test('a copied card is one person, two people of one name are two', async () => {
    await write('x.vcf', card('FN:Cy', 'EMAIL:cy@example.org') + card('FN:Cy', 'EMAIL:cy@example.org') + card('FN:Di', 'EMAIL:1@example.org') + card('FN:Di', 'EMAIL:2@example.org'))
    expect((await get(email, 'Cy')).result.value).toBe('cy@example.org')
    expect((await toolError(get(email, 'Di'))).code).toBe('ambiguous')
  })
})

describe('asking', () => {
  test('two Anas bring a choice with names and addresses, and the chosen one is the result', async () => {
    await people()
    await write('a/ana2.vcf', card('FN:Ana Lopes', 'N:Lopes;Ana;;;', 'EMAIL:lopes@example.org'))
    const {result, questions} = await get(email, 'Ana', {value: 'lopes@example.org'})
    expect(result.value).toBe('lopes@example.org')
    expect(questions).toEqual([{type: 'pick', title: 'Which "Ana" is meant?', candidates: [
      {value: 'ana@example.org', label: 'Ana Duarte: ana@example.org'}, {value: 'lopes@example.org', label: 'Ana Lopes: lopes@example.org'},
    ]}])
  })

  test('with nobody there two Anas are an error with the candidates in it, never the first one', async () => {
    await people()
    await write('a/ana2.vcf', card('FN:Ana Lopes', 'EMAIL:lopes@example.org'))
    const error = await toolError(get(email, 'Ana'))
    expect(error.code).toBe('ambiguous')
    expect(error.candidates?.map(c => c.value)).toEqual(['ana@example.org', 'lopes@example.org'])
    expect(error.message).toContain('Ana Duarte: ana@example.org; Ana Lopes: lopes@example.org')
  })

  test('an answer that was not on offer is not taken', async () => {
    await people()
    await write('a/ana2.vcf', card('FN:Ana Lopes', 'EMAIL:lopes@example.org'))
    expect((await toolError(get(email, 'Ana', {value: 'eve@example.org'}))).code).toBe('ambiguous')
  })

  test('two Anas of whom one has an address are asked about still', async () => {
    await people()
    await write('a/ana2.vcf', card('FN:Ana Lopes', 'TEL:+44 1'))
    expect((await toolError(get(email, 'Ana'))).candidates).toHaveLength(1)
  })

  test('of several numbers the mobile one, else the preferred one is taken, else there is a choice; a fax never', async () => {
    await write('x.vcf', card('FN:A', 'TEL;TYPE=WORK:+44 100', 'TEL;TYPE=CELL:+44 200', 'TEL;TYPE=FAX:+44 300') + card('FN:B', 'TEL;TYPE=WORK:+44 100', 'TEL;TYPE=HOME,PREF:+44 200')
      + card('FN:C', 'TEL;TYPE=WORK:+44 100', 'TEL;TYPE=HOME:+44 200') + card('FN:D', 'TEL;TYPE=FAX:+44 100', 'TEL;TYPE=HOME:+44 200'))
    expect((await get(phone, 'A')).result.value).toBe('+44 200')
    expect((await get(phone, 'B')).result.value).toBe('+44 200')
    expect((await toolError(get(phone, 'C'))).candidates?.map(c => c.label)).toEqual(['C: +44 100', 'C: +44 200'])
    expect((await get(phone, 'D')).result.value).toBe('+44 200')
  })

  test('a category brings its people and everyone of it; a group card is all its members', async () => {
    await people()
    await write('a/g.vcf', card('UID:g', 'KIND:group', 'FN:Family', 'MEMBER:urn:uuid:1', 'MEMBER:urn:uuid:3', 'MEMBER:mailto:gran@example.org'))
    expect((await get(email, 'the family')).result.value).toBe('ana@example.org, bo@home.example, gran@example.org')
    const error = await toolError(get(email, 'design team'))
    expect(error.candidates?.map(c => c.label)).toEqual(['Dr. Bo Osei: bo@home.example', 'Dr. Bo Osei: bo@acme.example'])
    await write('a/d.vcf', card('FN:Di', 'EMAIL:di@example.org', 'CATEGORIES:Design team'))
    expect((await toolError(get(email, 'design team'))).candidates?.[0]).toMatchObject({value: 'bo@home.example, di@example.org', label: 'Everyone in Design team (2)'})
  })
})

describe('missing', () => {
  test('with nobody there a name that is not in the contacts is an error that says what to do', async () => {
    const error = await toolError(get(email, 'Zoë'))
    expect(error.code).toBe('not-found')
    expect(error.message).toBe('There is no "Zoë" in your contacts. Say the email address in the request, or add it to your contacts.')
  })

  test('a typed address is taken, and kept only when asked to', async () => {
    expect((await get(email, 'Zoë Kim', {value: ' zoe@example.org '})).result.value).toBe('zoe@example.org')
    expect(await backend.all()).toEqual([])
    await get(email, 'Zoë Kim', {value: 'zoe@example.org', save: true})
    expect((await get(email, 'zoe kim')).result.value).toBe('zoe@example.org')
  })

  test('what is no address or number is asked for again, and given up in the end', async () => {
    const {result, questions} = await get(phone, 'Zoë', {value: 'call me'}, {value: '07700 900123', save: true})
    expect(result.value).toBe('+447700900123')
    expect(questions.map(q => q.title)).toEqual([
      'There is no "Zoë" in your contacts. What is the phone number?', '"call me" is not a phone number. What is Zoë\'s phone number?',
    ])
    for (const bad of ['x', 'a@b\r\nBcc: x@y', 'a b@c.org', '<a@b.org>', 'a@b.org,c@d.org']) {
      expect((await toolError(get(email, 'Bo', {value: bad}, {value: bad}, {value: bad}, {value: 'never@asked.org'}))).code).toBe('not-found')
    }
  })

  test('a missing number is added to the card that is there, and the rest of its file stays byte for byte', async () => {
    const before = card('UID:1', 'FN:Ana Duarte', 'item1.EMAIL:ana@example.org', 'item1.X-ABLabel:_$!<Other>!$_', 'X-ODD;X=1:kept') + card('UID:2', 'FN:Bo', 'NOTE:kept too')
    await write('two.vcf', before)
    const {questions} = await get(phone, 'Ana', {value: '+44 7700 900123', save: true})
    expect(questions[0]).toMatchObject({title: 'Ana Duarte has no phone number in your contacts. What is the phone number?', save: {name: 'Ana Duarte', field: 'phone'}})
    expect(await readFile(join(dir, 'two.vcf'), 'utf8')).toBe(before.replace('X=1:kept\r\n', 'X=1:kept\r\nTEL;TYPE=CELL:+447700900123\r\n'))
    expect((await get(phone, 'Ana')).result.value).toBe('+447700900123')
  })
})

describe('an answer that was saved', () => {
  test('is a change beside the look-up, and its undo takes out that line or that card and nothing else', async () => {
    const before = card('UID:1', 'FN:Ana Duarte', 'NOTE:kept') + card('UID:2', 'FN:Bo')
    await write('two.vcf', before)
    for (const [name, where] of [['Ana', 'two.vcf'], ['Zoë', 'new']] as const) {
      const context = contextFor({answers: [{value: '+44 7700 900123', save: true}]})
      await phone.run({name}, context)
      const [aside] = context.asides
      expect(aside).toMatchObject({args: {phone: '+447700900123'}, result: {summary: expect.stringMatching(/^Saved \+447700900123 to the contacts as /)}})
      expect((await backend.all()).filter(c => c.phones.length > 0)).toHaveLength(1)
      expect(await phone.undo!(aside!.result.undo!, context)).toBe('Took it out of the contacts')
      expect([where, await readFile(join(dir, 'two.vcf'), 'utf8'), (await backend.all()).length]).toEqual([where, before, 2])
    }
  })

  test('is left alone when the card has changed since, and when the journal names another file', async () => {
    await write('two.vcf', card('UID:1', 'FN:Ana Duarte'))
    const token = await backend.save('Ana Duarte', 'phone', '+447700900123') as {path: string}
    await write('two.vcf', `${await readFile(join(dir, 'two.vcf'), 'utf8')}\r\n`)
    expect((await toolError(backend.takeBack(token))).message).toContain('has changed since')
    expect((await toolError(backend.takeBack({...token, path: '/etc/passwd'}))).code).toBe('refused')
  })

  test('that was there already leaves nothing to take back', async () => {
    await people()
    expect(await backend.save('Ana Duarte', 'email', 'ana@example.org')).toBeUndefined()
  })
})

describe('the vdir backend', () => {
  test('a damaged card costs only itself, in a file of several too', async () => {
    await write('a.vcf', card('FN:Good', 'EMAIL:good@example.org') + card('FN:Bad', 'no colon') + card('FN:Also', 'EMAIL:also@example.org'))
    await write('b.vcf', 'BEGIN:VCARD\nFN:never ends')
    await write('c.vcf', '')
    expect((await backend.all()).map(c => c.name)).toEqual(['Good', 'Also'])
    expect(warnings.map(w => /[abc]\.vcf/.exec(w)?.[0])).toEqual(['a.vcf', 'b.vcf', 'c.vcf'])
  })

  test('vCard 2.1 with bare types and quoted-printable, and vCard 4.0 with URIs, are read', async () => {
    await write('old.vcf', 'BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:N=C3=BA=C3=B1ez;Jos=C3=A9;;;\r\nTEL;CELL;PREF:07700900123\r\nEND:VCARD\r\n')
    await write('new.vcf', 'BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Kai\r\nTEL;VALUE=uri;TYPE="cell,voice";PREF=1:tel:+44-7700-900124\r\nEMAIL;PREF=1:kai@example.org\r\nEND:VCARD\r\n')
    expect((await get(phone, 'José Núñez')).result.value).toBe('07700900123')
    expect((await get(phone, 'Kai')).result.value).toBe('+44-7700-900124')
  })

  test('an address or number finds its name, however it is written', async () => {
    await people()
    expect(await backend.nameOf('ANA@example.org')).toBe('Ana Duarte')
    expect(await backend.nameOf('+44 (7700) 900-123')).toBe('Ana Duarte')
    expect(await backend.nameOf('nobody@example.org')).toBeUndefined()
  })

  test('numbers are read as phones write them: invisible marks, odd dashes, extensions', async () => {
    await write('x.vcf', card('FN:A', 'TEL:\u202a+44 7700\u2011900123\u202c') + card('FN:B', 'TEL:+1 555 123 4567 ext. 12') + card('FN:C', 'TEL:112'))
    expect((await backend.all()).map(c => c.phones.map(p => p.value))).toEqual([['+44 7700-900123'], ['+1 555 123 4567'], ['112']])
  })

  test('an address on a card that could break out of a header is no address', async () => {
    await write('x.vcf', card('FN:Eve', 'EMAIL:eve@example.org\\nBcc: all@example.org', 'TEL:+44\\n1'))
    expect((await backend.all())[0]).toMatchObject({emails: [], phones: []})
  })

  test.each(hostileTexts)('a contact saved under %j is one card, and is found under that name', async text => {
    await backend.save(text, 'email', 'x@example.org')
    const [file] = await readdir(join(dir, 'personal'))
    expect((await readFile(join(dir, 'personal', file ?? ''), 'utf8')).match(/^(BEGIN|END|EMAIL)\b/gm)).toEqual(['BEGIN', 'EMAIL', 'END'])
    const [contact] = await backend.all()
    await backend.save(contact?.name ?? '', 'phone', '+44 7700 900123')
    expect((await backend.all()).map(c => [c.name, c.emails.length])).toEqual(expect.arrayContaining([[contact?.name, 1]]))
  })

  test('a new card goes where the user keeps cards already', async () => {
    await write('flat.vcf', card('FN:A', 'TEL:+44 100'))
    await backend.save('B', 'phone', '+44 200')
    expect(await readdir(dir)).toHaveLength(2)
  })
})

describe('khard', async () => {
  const khard = await program('khard')
  test.skipIf(!khard)('lists the contacts that were saved, with number and address', async () => {
    await backend.save('Ana Duarte', 'email', 'ana@example.org')
    await backend.save('Ana Duarte', 'phone', '+447700900123')
    await backend.save('Núñez, "Jo"; x', 'phone', '+442079460000')
    const config = ['[addressbooks]', '[[personal]]', `path = ${join(dir, 'personal')}`, '[general]', 'default_action = list', ''].join('\n')
    const configs = {'.config/khard/khard.conf': config}
    const emails = await runProgram(khard ?? '', ['email', '--parsable'], temp.path, configs)
    const phones = await runProgram(khard ?? '', ['phone', '--parsable'], temp.path, configs)
    expect(emails).toContain('ana@example.org\tAna Duarte')
    expect(phones).toContain('+447700900123\tAna Duarte')
    expect(phones).toContain('Núñez, "Jo"; x')
  })
})

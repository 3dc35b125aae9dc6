// Names that were misheard: whose they are, and what stays as it was heard. What was heard is from Whisper base and machine voices.
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {withContacts} from '../../../src/core/voice/contacts.ts'

const people = ['Aoife Byrne', 'Oluwaseun Adeyemi', 'Mateusz Kowalczyk', 'Yuki Tanaka', 'Fatima Benali', 'Björn Lindqvist', 'Chidi Okafor', 'Caitriona Walsh', 'Geoffrey Leigh', 'Katherine Meyer']

describe('a name that was misheard is written as the contact has it', () => {
  it.each([
    ['Tell Ouf Bern that the train is late.', 'Ouf Bern', 'Aoife Byrne'],
    ['Write an email to Oluo soon a Demi about the invoice.', 'Oluo soon a Demi', 'Oluwaseun Adeyemi'],
    ['Tell Matjus Karelczyk that the train is late.', 'Matjus Karelczyk', 'Mateusz Kowalczyk'],
    ['What is the phone number of UKTanaka?', 'UKTanaka', 'Yuki Tanaka'],
    ['Write an email to Fatima Bernali about it.', 'Fatima Bernali', 'Fatima Benali'],
    ['Tell Chidi Oku for that the train is late.', 'Chidi Oku for', 'Chidi Okafor'],
    ['Write to K-Tree on a Welsh, and to no one else.', 'K-Tree on a Welsh', 'Caitriona Walsh'],
    ['Find Jeffrey Lee\'s number.', 'Jeffrey Lee', 'Geoffrey Leigh'],
    ['Text Bjorn Lindqvist that I am late.', 'Bjorn Lindqvist', 'Björn Lindqvist'],
    ['Tell Catherine that I am late.', 'Catherine', 'Katherine'],
  ])('%s', (text, heard, written) => {
    expect(withContacts(text, people)).toEqual({text: text.replace(heard, written), corrections: [{heard, written}]})
  })
  it('each in its place', () => {
    expect(withContacts('Invite Jeffrey Lee and Catherine Meyer.', people)).toEqual({
      text: 'Invite Geoffrey Leigh and Katherine Meyer.',
      corrections: [{heard: 'Jeffrey Lee', written: 'Geoffrey Leigh'}, {heard: 'Catherine Meyer', written: 'Katherine Meyer'}],
    })
  })
})

describe('a name that ran together with the verb before it is written, and the verb', () => {
  const joined = ['Ingrid Solberg', 'Andile Dlamini', 'Zoltan Szabo', 'Hiroshi Nakamura', 'Imani Okeke', 'Eoin Gallagher']
  it.each([
    ['Telling Grit Solberg that the parcel is here.', 'Telling Grit Solberg', 'Tell Ingrid Solberg'],
    ['Askandai-Ladilimini when the train leaves.', 'Askandai-Ladilimini', 'Ask Andile Dlamini'],
    ['I am late. Telsoltan Szabo that I run.', 'Telsoltan Szabo', 'Tell Zoltan Szabo'],
    ['Kaltiro Shinakamura after lunch.', 'Kaltiro Shinakamura', 'Call Hiroshi Nakamura'],
    ['Remind me to Askai Mani Okeke about it.', 'Askai Mani Okeke', 'ask Imani Okeke'],
  ])('%s', (text, heard, written) => {
    expect(withContacts(text, joined)).toEqual({text: text.replace(heard, written), corrections: [{heard, written}]})
  })
})

const stays = (text: string, names = people): void => expect(withContacts(text, names)).toEqual({text, corrections: []})

describe('what stays', () => {
  it('a name that is spelled right', () => {
    for (const name of people) stays(`Tell ${name} and the others, then ask ${name.split(' ')[0]!}.`)
  })
  it('what two contacts are as near to', () => {
    stays('Text Jon Smyth that I am late.', ['John Smith', 'Jon Smithe'])
    stays('Text Catherine that I am late.', ['Katherine Meyer', 'Katharine Holt'])
  })
  it('a first name that two contacts share, heard alone', () => stays('Text Catherine that I am late.', ['Katherine Meyer', 'Katherine Holt']))
  it('the first name of somebody who has another last name', () => {
    stays('Text Catherine Jones that I am late.')
    stays('Text Katherine Jones that I am late.')
  })
  it('another contact\'s name', () => stays('Text Jeffrey Lee that I am late.', [...people, 'Jeffrey Lee']))
  it('a name that differs by more than its spelling', () => {
    stays('Text Maria that I am late.', ['Mario Rossi'])
    stays('Text Paula that I am late.', ['Paul Rossi'])
  })
  it('ordinary words, a month and the first word of a sentence', () => {
    stays('Tell me my yield is ready.', ['Mehmet Yildiz'])
    stays('Ask me before May.', ['Mei Wang'])
    stays('Mark the laundry as done.', ['Marc Lundry'])
    stays('Text Ana to come.', ['Ana Tao'])
  })
  it('ordinary words and other people who sound like a verb and a name', () => {
    for (const word of ['Calamity', 'Textile prices', 'Mailbox', 'Tobacco', 'Calendar', 'Telegram', 'Invitations', 'Reminders', 'Askew']) {
      for (const end of ['for tomorrow.', 'that I am late.', 'Holt for tomorrow.']) stays(`${word} ${end}`, ['Amity Berg', 'Stella Price', 'Lander Ruiz', 'Graham Cole', 'Boxall Ford', 'Ash Hugh', 'Ines Dahl', 'Bako Tao'])
    }
    for (const text of ['Colandra Reed moved to Bonn.', 'Colandra Reed is here today.', 'Colandra Reed\'s number on Monday.', 'Colandra Reed.', 'I saw Colandra Reed on Monday.', 'Invite Colandra Reed to dinner.', '"Colandra Reed" on Monday.']) stays(text, ['Andra Reed'])
    stays('Colandra Reed on Monday.', ['Andra Reed', 'Colandra Reed'])
    stays('Kolandra Read on Monday.', ['Andra Reed', 'Colandra Reed'])
    stays('Colandra Reed on Monday.', ['Andra Reed', 'Colandra Holt'])
    stays('Callan Mirza on Monday.', ['Ann Mirza'])
    stays('Lettingrid Solberg on Monday.', ['Ingrid Solberg'])
    stays('Tellandra Haddad after lunch.', ['Andra Haddad', 'Andre Haddad'])
  })
  it('what is quoted, and addresses', () => {
    stays('Add "Jeffrey Lee" to the list.')
    stays('Write to “Jeffrey Lee”.')
    stays('Write to Jeffrey.Lee@example.org or see example.org/Catherine.')
  })
})

it('any text comes back whole but for what was changed, with any names', () => {
  const words = fc.constantFrom('Jeffrey', 'Lee', 'Catherine', 'Telsoltan', 'Szabo', 'to', '"', ' ', '. ', '-', 'Ouf', 'Bern', '\n', 'İ', '’s', '🙂', 'a@b.c')
  fc.assert(fc.property(fc.array(words).map(all => all.join('')), fc.array(fc.oneof(fc.constantFrom(...people, 'Zoltan Szabo'), fc.string()), {maxLength: 8}), (text, names) => {
    const {text: out, corrections} = withContacts(text, names)
    let [before, after] = [text, out]
    for (const {heard, written} of corrections) {
      const at = before.indexOf(heard)
      expect(at).toBeGreaterThanOrEqual(0)
      expect(after).toContain(written)
      before = before.slice(at + heard.length)
      after = after.slice(after.indexOf(written) + written.length)
    }
    if (corrections.length === 0) expect(out).toBe(text)
  }), {numRuns: 200})
})

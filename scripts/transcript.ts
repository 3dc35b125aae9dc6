// Writes docs/transcript.txt: a real run of the built program, with the real models, as its screen shows it.
// npx tsx scripts/transcript.ts ["request"]
import {mkdirSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {newHome, root, Terminal} from '../tests/e2e/terminal.ts'

const columns = 100
const card = '[s]end  [e]dit  s[k]ip  [q]uit'
const request = process.argv[2] ?? 'remind me to pack on Friday at 6pm and text Ana that the tickets are booked'

const home = newHome()
const contacts = path.join(home, 'data/contacts/personal')
mkdirSync(contacts, {recursive: true})
const ana = ['BEGIN:VCARD', 'VERSION:3.0', 'UID:1', 'FN:Ana Duarte', 'N:Duarte;Ana;;;', 'TEL;TYPE=CELL:+12025550101', 'EMAIL:ana@example.org', 'END:VCARD', '']
writeFileSync(path.join(contacts, 'ana.vcf'), ana.join('\r\n'))

const terminal = new Terminal(home, ['--now', '2026-03-03T09:15:00', request], {columns, rows: 40})
const frames: string[] = []
try {
  // Each card is taken down and said yes to; the last picture is the finished run.
  for (;;) {
    const isAsked = await Promise.race([terminal.shows(card).then(() => true, () => false), terminal.exits().then(() => false)])
    if (!isAsked) break
    frames.push(terminal.text())
    terminal.type('s')
    await terminal.loses(card)
  }
  frames.push(terminal.text())
} finally {
  terminal.kill()
  rmSync(home, {recursive: true, force: true})
}
const file = path.join(root, 'docs/transcript.txt')
writeFileSync(file, `$ tinyagent "${request}"\n\n${frames.join(`\n\n${'─'.repeat(columns / 2)}\n\n`)}\n`)
process.stdout.write(`${file}\n`)

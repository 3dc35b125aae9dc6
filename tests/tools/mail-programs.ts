// A Maildir as Python's mailbox and email modules read it: what any other mail program would see.
import {runProgram} from './vdir-programs.ts'

export interface ReadMail {
  headers: [string, string][]
  from: string[][]
  to: string[][]
  cc: string[][]
  subject: string
  text: string
  attachments: {name: string; type: string; base64: string}[]
  defects: string[]
}

const script = `
import base64, email.policy, email.utils, json, mailbox, sys
box = mailbox.Maildir(sys.argv[1], factory=lambda f: email.message_from_binary_file(f, policy=email.policy.default), create=False)
def people(m, name):
    return [[a.display_name, a.addr_spec] for h in m.get_all(name, []) for a in h.addresses]
def read(m):
    body = m.get_body(('plain',))
    return {
        'headers': [[k, str(v)] for k, v in m.items()], 'from': people(m, 'From'), 'to': people(m, 'To'), 'cc': people(m, 'Cc'),
        'subject': str(m['Subject'] or ''), 'text': body.get_content() if body else '',
        'attachments': [{'name': p.get_filename(), 'type': p.get_content_type(), 'base64': base64.b64encode(p.get_payload(decode=True)).decode()} for p in m.iter_attachments()],
        'defects': [str(d) for p in m.walk() for d in p.defects],
    }
print(json.dumps([read(m) for m in box]))
`

/** The mails of the Maildir `folder`; `home` is where Python's own files go. */
export async function readMaildir(python: string, folder: string, home: string): Promise<ReadMail[]> {
  // The shape is the script's above.
  return JSON.parse(await runProgram(python, ['-c', script, folder], home, {})) as ReadMail[]
}

export const headerOf = (mail: ReadMail, name: string): string | undefined =>
  mail.headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]

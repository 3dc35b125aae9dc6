// What each gateway is given, to the byte: programs that write down their arguments, and a server that checks what Twilio documents.
import {execFile} from 'node:child_process'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {chmod, readFile, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {adbSms, connectedPhone} from '../../src/tools/sms/adb.ts'
import {kdeConnectSms} from '../../src/tools/sms/kdeconnect.ts'
import {modemManagerSms} from '../../src/tools/sms/modemmanager.ts'
import {createWhole} from '../../src/tools/files/durable.ts'
import {oneByOne, type AskOne, type SendOne} from '../../src/tools/sms/one-by-one.ts'
import {settledSms, smsTools} from '../../src/tools/sms/sms.ts'
import {termuxSms} from '../../src/tools/sms/termux.ts'
import {twilioSms} from '../../src/tools/sms/twilio.ts'
import {contextFor, tempFolder, toolError} from './vdir-programs.ts'

const signal = new AbortController().signal
const hostile = ['Running late', '--help', '-d evil', '$(touch /tmp/x) `id`; rm', 'two\nlines', 'שלום 🎉 %s', 'She said "no"']
let temp: Awaited<ReturnType<typeof tempFolder>>
const pathBefore = process.env['PATH']
beforeEach(async () => { temp = await tempFolder() })
afterEach(async () => { process.env['PATH'] = pathBefore; await temp.remove() })

/** A program of that name that writes down arguments and input, and prints `output`. */
async function recorder(name: string, output = '', code = 0) {
  const log = join(temp.path, `${name}.ndjson`)
  const file = join(temp.path, name)
  await writeFile(file, `#!${process.execPath}\nconst fs = require('fs')\nfs.appendFileSync(${JSON.stringify(log)}, JSON.stringify({args: process.argv.slice(2), input: fs.readFileSync(0, 'utf8')}) + '\\n')\nprocess.stdout.write(${JSON.stringify(output)})\nprocess.exit(${code})\n`)
  await chmod(file, 0o700)
  process.env['PATH'] = `${temp.path}:${pathBefore}`
  return async (): Promise<{args: string[]; input: string}[]> => (await readFile(log, 'utf8').catch(() => '')).split('\n').filter(Boolean).map(line => JSON.parse(line) as {args: string[]; input: string})
}

describe('programs', () => {
  test.each(hostile)('KDE Connect gets %j as one value', async message => {
    const calls = await recorder('kdeconnect-cli', 'phone1\n')
    await kdeConnectSms(temp.path, '').send(['+12025550101'], message, 'k', signal)
    expect((await calls()).map(c => c.args)).toEqual([['--list-available', '--id-only'], ['--device=phone1', `--send-sms=${message}`, '--destination=+12025550101']])
  })

  test.each(hostile)('ModemManager gets %j between quotes that it does not hold', async message => {
    const calls = await recorder('mmcli', 'Successfully created new SMS: /org/freedesktop/ModemManager1/SMS/21\n')
    await modemManagerSms(temp.path, '').send(['+1 202 555 0101'], message, 'k', signal)
    expect((await calls()).map(c => c.args)).toEqual([
      ['--modem=any', `--messaging-create-sms=number=+12025550101,text='${message}'`], ['--sms=/org/freedesktop/ModemManager1/SMS/21', '--send'],
    ])
  })

  test('ModemManager is given no text that would end its quotes', async () => {
    const calls = await recorder('mmcli')
    expect((await toolError(modemManagerSms(temp.path, '').send(['+12025550101'], `it's "x",number=+1900`, 'k', signal))).message).toContain('both kinds of quotes')
    expect(await calls()).toEqual([])
  })

  test.each(hostile)('Termux gets %j on its standard input', async message => {
    const calls = await recorder('termux-sms-send')
    await termuxSms(temp.path).send(['+12025550101'], message, 'k', signal)
    expect(await calls()).toEqual([{args: ['-n', '+12025550101'], input: message}])
  })

  test('a program that is not installed, or fails, says that nothing went', async () => {
    process.env['PATH'] = temp.path
    expect((await toolError(termuxSms(temp.path).send(['+12025550101'], 'Hi', 'a', signal))).message).toContain('termux-sms-send is not installed')
    await recorder('termux-sms-send', 'no permission', 1)
    expect((await toolError(termuxSms(temp.path).send(['+12025550101'], 'Hi', 'b', signal))).message).toBe('To +12025550101: termux-sms-send failed (no permission). The message was not handed over.')
  })

  test('each recipient gets one message, the card says so, and the same call again sends nothing', async () => {
    const calls = await recorder('termux-sms-send')
    const [tool] = smsTools(termuxSms(temp.path))
    const args = {recipients: ['+12025550101', '+12025550102'], message: 'Hi'}
    expect((await tool!.preview(args, contextFor())).notice).toBe('Termux sends it. Each of the 2 gets a message of their own.')
    await tool!.run(args, contextFor())
    expect((await toolError(tool!.run(args, contextFor()))).code).toBe('refused')
    expect((await calls()).map(c => c.args[1])).toEqual(['+12025550101', '+12025550102'])
  })

  test('with two phones the user has to say which', async () => {
    await recorder('kdeconnect-cli', 'phone1\nphone2\n')
    expect((await toolError(kdeConnectSms(temp.path, '').send(['+12025550101'], 'Hi', 'k', signal))).message).toContain('set sms.device to one of: phone1, phone2')
  })
})

describe('adb', () => {
  const one = 'List of devices attached\nR58M12345\tdevice\n\n'
  /** An adb that knows these phones and prints `output` for the shell's command. */
  async function phone(devices = one, output = 'Starting: Intent { act=android.intent.action.SENDTO dat=sms:xxx (has extras) }\n') {
    const log = join(temp.path, 'adb.ndjson')
    const file = join(temp.path, 'adb')
    await writeFile(file, `#!${process.execPath}\nconst args = process.argv.slice(2)\nrequire('fs').appendFileSync(${JSON.stringify(log)}, JSON.stringify(args) + '\\n')\nprocess.stdout.write(args[0] === 'devices' ? ${JSON.stringify(devices)} : ${JSON.stringify(output)})\n`)
    await chmod(file, 0o700)
    process.env['PATH'] = `${temp.path}:${pathBefore}`
    return async (): Promise<string[][]> => (await readFile(log, 'utf8').catch(() => '')).split('\n').filter(Boolean).map(line => JSON.parse(line) as string[])
  }
  /** What the words of a command are to a real shell, in which `am` writes down what it is given. */
  async function words(command: string): Promise<string[]> {
    const am = join(temp.path, 'am')
    await writeFile(am, `#!${process.execPath}\nprocess.stdout.write(JSON.stringify(process.argv.slice(2)))\n`)
    await chmod(am, 0o700)
    const {stdout} = await promisify(execFile)('/bin/sh', ['-c', command], {env: {PATH: `${temp.path}:${pathBefore}`, HOME: temp.path}, cwd: temp.path})
    return JSON.parse(stdout) as string[]
  }

  test.each([...hostile, 'it\'s', '\'; touch owned; \'', '\\', 'a\\\'b', '*', '~', '-e x', '#no', '!!', '${HOME}', ' two  blanks '])('gives the phone\'s shell %j as one word', async message => {
    const calls = await phone()
    await adbSms(temp.path, '').send(['+1 202 555 0101'], message, 'k', signal)
    const [devices, shell] = await calls()
    expect(devices).toEqual(['devices'])
    expect(shell?.slice(0, 3)).toEqual(['-s', 'R58M12345', 'shell'])
    expect(shell).toHaveLength(4)
    expect(await words(shell![3]!)).toEqual(['start', '-a', 'android.intent.action.SENDTO', '-d', 'sms:+12025550101', '--es', 'sms_body', message])
    expect(await readFile(join(temp.path, 'owned')).catch(() => undefined)).toBeUndefined()
  })

  test('says before and after that the phone\'s user has to send it', async () => {
    await phone()
    const [tool] = smsTools(adbSms(temp.path, 'R58M12345'))
    const args = {recipients: ['+12025550101'], message: 'Hi'}
    expect((await tool!.preview(args, contextFor())).notice).toBe('Your phone shows it, ready to be sent: nothing goes before you press send there.')
    expect(await tool!.run(args, contextFor())).toMatchObject({value: 'opened on the phone', summary: 'Opened the text message to +12025550101 on the phone: press send there'})
    expect(await tool!.settle?.(args, {key: contextFor().key, at: new Date(), signal})).toEqual({state: 'done', summary: 'Opened the text message to +12025550101 on the phone: press send there'})
    expect((await toolError(tool!.run(args, contextFor()))).code).toBe('refused')
  })

  test('opens one message at a time', async () => {
    const calls = await phone()
    expect((await toolError(adbSms(temp.path, '').send(['+12025550101', '+12025550102'], 'Hi', 'k', signal))).message).toContain('opens one message at a time')
    expect(await calls()).toEqual([])
  })

  test.each([
    ['Error: Activity not started, unable to resolve Intent { act=android.intent.action.SENDTO }', 'failed', 'It needs a messaging app.'],
    ['Warning: Activity not started, its current task has been brought to the front', 'unknown', 'Look at the phone.'],
  ])('whose phone answers %j does not say that it is open', async (output, code, said) => {
    await phone(one, `${output}\n`)
    const error = await toolError(adbSms(temp.path, '').send(['+12025550101'], 'Hi', 'k', signal))
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(said)])
  })

  test.each([
    ['List of devices attached\n\n', '', 'adb sees no phone. Connect it by cable'],
    ['List of devices attached\nR58\tunauthorized\n', '', 'Unlock it and allow USB debugging.'],
    ['List of devices attached\nA\tdevice\nB\tdevice\nC\toffline\n', '', 'set sms.device to one of: A, B'],
    ['* daemon started successfully\nList of devices attached\nA\tdevice\n', 'B', 'adb sees no phone B (sms.device)'],
  ])('with the phones %j and sms.device %j says what to do', async (devices, device, said) => {
    const calls = await phone(devices)
    expect((await toolError(adbSms(temp.path, device).send(['+12025550101'], 'Hi', 'k', signal))).message).toContain(said)
    expect(await calls()).toEqual([['devices']])
    expect((await toolError(connectedPhone(device, signal))).code).toBe('unavailable')
  })
})

describe('a message on whose way the program was killed', () => {
  const to = ['+12025550101', '+12025550102', '+12025550103']
  const call = {key: 'k', at: new Date(), signal}
  /** As it is on disk when the program is killed while the copy of `stuck` is on its way; -1: before the first one. */
  async function killed(stuck: number, ask?: AskOne) {
    let count = 0
    const arrived = new Promise<void>(resolve => {
      const send: SendOne = () => { if (count++ === stuck) { resolve(); return new Promise(() => undefined) } return Promise.resolve('id') }
      void oneByOne(temp.path, 'Gate', send).send(to, 'Hi', 'k', signal).then(() => resolve(), () => resolve())
    })
    await arrived
    return oneByOne(temp.path, 'Gate', async () => { throw new Error('sent again') }, ask)
  }

  test('that was not handed over at all is not done, and may be tried again', async () => {
    const backend = oneByOne(temp.path, 'Gate', async () => 'id')
    expect(settledSms(to, await backend.settle(to, 'Hi', call))).toEqual({state: 'failed', summary: 'Did not send the text message to +12025550101, +12025550102, +12025550103.'})
    await createWhole(join(temp.path, 'handed-over', 'k.ndjson'), '\n')
    await createWhole(join(temp.path, 'handed-over', 'k.json'), '{}') // written down, and no copy begun
    expect(await backend.settle(to, 'Hi', call)).toEqual({reached: [], isQueued: false})
    expect((await backend.send(to, 'Hi', 'k', signal)).isQueued).toBe(false)
  })

  test('is known but for the copy that was on its way', async () => {
    const backend = await killed(1)
    expect(settledSms(to, await backend.settle(to, 'Hi', call))).toEqual({
      state: 'unknown', summary: expect.stringMatching(/^the text message to \+12025550102 \(it went to \+12025550101; it did not go to \+12025550103\)\. Look at the phone before you send it again \(.*k\.json\)\.$/),
    })
    expect((await toolError(backend.send(to, 'Hi', 'k', signal))).code).toBe('refused')
  })

  test.each([['emptied', ''], ['gone', undefined], ['overwritten', '\0\0\n'], ['joined to a torn line', '{"to":"+12025550101","is":"go{"to":"+12025550102","is":"begun"}\n']])('is not taken for one that never went where its log is %s', async (_how, text) => {
    const backend = await killed(1)
    const log = join(temp.path, 'handed-over', 'k.ndjson')
    await (text === undefined ? rm(log) : writeFile(log, text))
    expect(await toolError(backend.settle(to, 'Hi', call))).toMatchObject({code: 'unknown', message: expect.stringContaining('k.ndjson is damaged')})
    expect((await toolError(backend.send(to, 'Hi', 'k', signal))).code).toBe('refused')
    expect((await toolError(backend.settle(to, 'Hi', call))).code).toBe('unknown')
  })

  test('went to all when the last one had gone', async () => {
    expect(settledSms(to, await (await killed(9)).settle(to, 'Hi', call))).toEqual({state: 'done', summary: 'Sent a text message to +12025550101, +12025550102, +12025550103'})
  })

  test('is asked of the gateway where it can tell, and asked again later where it can\'t be reached', async () => {
    const asked: unknown[] = []
    const backend = await killed(2, async (number, message) => { asked.push([number, message]); return 'id' })
    expect(await backend.settle(to, 'Hi', call)).toEqual({reached: to, isQueued: false})
    expect(asked).toEqual([['+12025550103', 'Hi']])
    const unreachable = await killed(2, async () => { throw new Error('no network') })
    expect(settledSms(to, await unreachable.settle(to, 'Hi', call))).toMatchObject({state: 'unknown', again: true, summary: expect.stringContaining('Gate could not be asked. Look at its message log')})
  })
})

describe('Twilio', () => {
  const accountSid = `AC${'0'.repeat(32)}`
  /** What the Messages resource documents: one sender, a number in E.164, a body of up to 1,600 characters, basic authentication. */
  async function twilio(answer: 'made' | 'lost' | 'lost before' | 'refused') {
    const sent: {to: string; body: string; date_created: string; sid: string}[] = []
    const problems: string[] = []
    let posts = 0
    const http = createServer((req, res) => {
      void (async () => {
        let text = ''
        for await (const chunk of req) text += String(chunk)
        const json = (status: number, value: unknown) => res.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(value))
        const url = new URL(req.url ?? '', 'http://x')
        if (url.pathname !== `/2010-04-01/Accounts/${accountSid}/Messages.json`) problems.push(`path ${url.pathname}`)
        if (req.headers.authorization !== `Basic ${Buffer.from(`${accountSid}:token`).toString('base64')}`) return json(401, {code: 20003, message: 'Authenticate', status: 401})
        if (req.method === 'GET') return json(200, {messages: sent.filter(m => m.to === url.searchParams.get('To'))})
        posts++
        if (req.headers['content-type'] !== 'application/x-www-form-urlencoded;charset=UTF-8') problems.push(`type ${req.headers['content-type']}`)
        const form = new URLSearchParams(text)
        const keys = [...form.keys()].sort().join()
        if (keys !== 'Body,From,To' && keys !== 'Body,MessagingServiceSid,To') problems.push(`fields ${keys}`)
        if (!/^\+[1-9]\d{1,14}$/.test(form.get('To') ?? '')) problems.push(`To ${form.get('To')}`)
        if (answer === 'refused') return json(400, {code: 21211, message: 'Invalid \'To\' Phone Number', more_info: 'https://www.twilio.com/docs/errors/21211', status: 400})
        if (answer === 'lost before') return req.socket.destroy()
        const message = {sid: `SM${String(sent.length).padStart(32, '0')}`, to: form.get('To') ?? '', body: form.get('Body') ?? '', date_created: new Date().toUTCString()}
        sent.push(message)
        if (answer === 'lost') return req.socket.destroy()
        return json(201, {...message, status: 'queued', error_code: null, error_message: null})
      })()
    })
    await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
    const {port} = http.address() as AddressInfo // a TCP server's
    return {sent, problems, posts: () => posts, origin: `http://127.0.0.1:${port}`, close: () => new Promise<void>(resolve => { http.closeAllConnections(); http.close(() => resolve()) })}
  }
  const from = (origin: string, token = 'token') => twilioSms(temp.path, {accountSid, from: '+15017122661', token: async () => token, origin})

  test.each(hostile)('gets %j as documented', async message => {
    const server = await twilio('made')
    try {
      expect(await from(server.origin).send(['+12025550101', '+12025550102'], message, 'k', signal)).toEqual({where: server.sent.map(m => m.sid).join(', '), isQueued: false})
      expect(server.sent.map(m => [m.to, m.body])).toEqual([['+12025550101', message], ['+12025550102', message]])
      expect(server.problems).toEqual([])
    } finally {
      await server.close()
    }
  })

  test('is asked after a lost answer, and the message is not sent again', async () => {
    const server = await twilio('lost')
    try {
      expect((await from(server.origin).send(['+12025550101'], 'Hi', 'k', signal)).where).toBe(server.sent[0]?.sid)
      expect(server.posts()).toBe(1)
    } finally {
      await server.close()
    }
  })

  test.each(['made', 'lost before'] as const)('is asked for a message that was cut off: %s', async answer => {
    const server = await twilio(answer)
    try {
      const at = new Date()
      await from(server.origin).send(['+12025550101'], 'Hi', 'k', signal).catch(() => undefined)
      const log = join(temp.path, 'handed-over', 'k.ndjson')
      await writeFile(log, (await readFile(log, 'utf8')).split('\n').slice(0, 2).join('\n') + '\n') // as if killed before the answer was read
      const fate = await from(server.origin).settle(['+12025550101'], 'Hi', {key: 'k', at, signal})
      if (answer === 'made') expect(fate).toEqual({reached: ['+12025550101'], isQueued: false})
      else expect(fate).toMatchObject({reached: [], doubtful: '+12025550101', note: expect.stringContaining('Twilio has none in its list, which proves nothing.')})
      expect([server.posts(), server.problems]).toEqual([1, []])
    } finally {
      await server.close()
    }
  })

  test('that can\'t tell leaves it unknown', async () => {
    const server = await twilio('lost before')
    try {
      const error = await toolError(from(server.origin).send(['+12025550101'], 'Hi', 'k', signal))
      expect([error.code, server.posts()]).toEqual(['unknown', 1])
      expect(error.message).toContain('Look at the console\'s message log before you send it again')
    } finally {
      await server.close()
    }
  })

  test.each([['refused', 'token', 'Twilio refused it (21211: Invalid \'To\' Phone Number). Nothing was sent.'], ['made', 'wrong', 'Twilio does not take the account\'s SID and token.']] as const)('that has %s it with the token %j says why', async (answer, token, said) => {
    const server = await twilio(answer)
    try {
      const error = await toolError(from(server.origin, token).send(['+12025550101'], 'Hi', 'k', signal))
      expect(error.code).toBe('failed')
      expect(error.message).toContain(said)
      expect(server.sent).toEqual([])
    } finally {
      await server.close()
    }
  })

  test('out of reach got nothing', async () => {
    const server = await twilio('made')
    await server.close()
    expect((await toolError(from(server.origin).send(['+12025550101'], 'Hi', 'k', signal))).message).toContain('cannot be reached. Nothing was sent.')
  })
})

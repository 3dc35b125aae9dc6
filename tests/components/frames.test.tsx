import {Box} from 'ink'
import {render} from 'ink-testing-library'
import {describe, expect, it} from 'vitest'
import stringWidth from 'string-width'
import {App, type InkDeps} from '../../src/components/App.tsx'
import {Ask} from '../../src/components/Ask.tsx'
import {cardRows, Confirm} from '../../src/components/Confirm.tsx'
import {card} from '../../src/components/plain.ts'
import {emptyEditor} from '../../src/components/editor.ts'
import {Input, type Complete} from '../../src/components/Input.tsx'
import {FinishedRun, LiveRun} from '../../src/components/Run.tsx'
import {reduce, tree, type RunView} from '../../src/components/state.ts'
import {Keys, KeySource} from '../../src/components/useKeys.ts'
import {useLatest} from '../../src/components/useLatest.ts'
import type {Answer, ConfirmAnswer, Event, Preview, Task} from '../../src/core/types.ts'

const task = (id: number, tool: string, args: Task['args'], dependsOn: number[] = []): Task => ({id, tool, args, dependsOn})
const started: Event[] = [
  {type: 'request', id: 'r', request: 'Zoom with Ana on Friday at 4, and text her the link', now: '2026-03-03T09:00:00', dryRun: false},
  {type: 'tools-selected', tools: [{name: 'get_email_address', score: 0.99}, {name: 'get_zoom_meeting_link', score: 0.98}], ms: 4},
  {type: 'task-added', task: task(1, 'get_email_address', ['Ana']), effect: 'read', attempt: 0},
  {type: 'task-added', task: task(2, 'get_zoom_meeting_link', ['Zoom', 'Friday at 4', 60, [{ref: 1}]], [1]), effect: 'outward', attempt: 0},
  {type: 'task-added', task: task(3, 'create_calendar_event', ['Zoom with Ana', 'Friday at 4', '', '', [{ref: 1}], {ref: 2}, ''], [1, 2]), effect: 'outward', attempt: 0},
  {type: 'task-started', id: 1, tool: 'get_email_address', args: {name: 'Ana'}, effect: 'read', key: 'k'},
  {type: 'task-done', id: 1, result: {value: 'ana@example.org', summary: "Found Ana's address: ana@example.org"}, ms: 12},
  {type: 'plan-delta', text: '4. send_sms(["$'},
]
const view = (events: Event[]): RunView => events.reduce<RunView | undefined>(reduce, undefined)!
const frame = (node: React.ReactElement, width: number): string => render(<Box width={width}>{node}</Box>).lastFrame() ?? ''
const preview: Preview = {
  effect: 'outward', title: 'Text message', sources: {recipients: 'lookup', message: 'document'},
  fields: [{label: 'To', value: ['+44 7700 900182', '+49 151 2345 8890'], arg: 'recipients'}],
  body: {text: Array.from({length: 40}, (_, i) => `line ${i + 1} of the message`).join('\n'), arg: 'message'},
  notice: 'No SMS gateway is configured: the message goes to the outbox.',
}
const noVoice = {dictate: () => Promise.resolve({text: ''}), sendSpoken: false}
const settled = (): Promise<void> => new Promise(resolve => setImmediate(() => setImmediate(resolve)))
const until = async (test: () => boolean): Promise<void> => { while (!test()) await settled() }

it('a card says of each file that goes along whose it is, where it is no file of the user\'s', () => {
  const files = [{name: 'a.pdf', path: '/home/sam/a.pdf', bytes: 10, type: 'application/pdf'}, {name: 'today.txt', path: '/tmp/x/today.txt', bytes: 17, type: 'text/plain', from: 'note:///today\u001b[2J of the MCP server home'}]
  const rows = cardRows({...preview, attachments: files}, 200).filter(row => row.text.startsWith('Attachment'))
  expect(rows).toEqual([{text: 'Attachment: a.pdf (10 B, application/pdf) /home/sam/a.pdf'}, {text: 'Attachment: today.txt (17 B, text/plain) /tmp/x/today.txt  (FROM A DOCUMENT OR MAIL: note:///today\\x1b[2J of the MCP server home)', color: 'red'}])
})

describe('the plan on the screen', () => {
  it('shows a step that two others use once, and refers to it after that', () => {
    expect(tree(view(started).tasks).map(l => [l.view.task.id, l.depth, l.kind])).toEqual([[3, 0, 'full'], [1, 1, 'full'], [2, 1, 'full'], [1, 2, 'ref']])
  })
  it.each([40, 80, 120])('fits %i columns while it grows', width => {
    const text = frame(<LiveRun run={view(started)} frame={0} width={width} rows={20} />, width)
    for (const row of text.split('\n')) expect(stringWidth(row)).toBeLessThanOrEqual(width)
    for (const id of [1, 2, 3]) expect(text).toContain(`${id}. `)
    expect(text).toContain('4. send_sms')
    expect(text).toContain('Planning')
  })
  it('says what a follow-up was understood as, what a step stands in the place of, and what was done before', () => {
    const events: Event[] = [
      {type: 'request', id: 'r', request: 'make it 4', as: 'lunch with Ana tomorrow at 4', now: '2026-03-03T09:00:00', dryRun: false},
      {type: 'task-added', task: task(1, 'get_email_address', ['Ana']), effect: 'read', attempt: 0},
      {type: 'task-done', id: 1, result: {value: 'ana@example.org', summary: 'Found her'}, ms: 0, isEarlier: true},
      {type: 'task-added', task: task(2, 'create_calendar_event', ['Lunch', 'tomorrow at 4', '', '', [], '', '']), effect: 'local', attempt: 0, insteadOf: 'Added Lunch at 15:00'},
    ]
    const live = frame(<LiveRun run={view(events)} frame={0} width={100} rows={20} />, 100)
    expect(live).toContain('as: lunch with Ana tomorrow at 4')
    expect(live).toContain('instead of: Added Lunch at 15:00')
    expect(frame(<FinishedRun run={view(events)} width={100} />, 100)).toMatch(/as: lunch with Ana[^]*Found her \(done before\)/)
  })
  it('never grows higher than the rows it is given', () => {
    const many = [...Array(30).keys()].map((i): Event => ({type: 'task-added', task: task(i + 1, 'create_reminder', [`thing ${i}`, '', '', '', 0, false]), effect: 'local', attempt: 0}))
    const text = frame(<LiveRun run={view([...started.slice(0, 2), ...many])} frame={0} width={80} rows={12} />, 80)
    expect(text.split('\n').length).toBeLessThanOrEqual(12)
    expect(text).toContain('earlier steps')
    expect(text).toContain('30. ')
  })
  it('shows what came of each step, with control characters made visible', () => {
    const end: Event[] = [...started,
      {type: 'task-failed', id: 2, error: {code: 'unavailable', message: 'The server said \u001b[31mno'}, ms: 5},
      {type: 'task-skipped', id: 3, reason: 'dependency'},
      {type: 'answer', text: 'Zoom did not answer, so no event was made.'}, {type: 'done', status: 'failed', exitCode: 1, ms: 900}]
    const text = frame(<FinishedRun run={view(end)} width={80} />, 80)
    expect(text).toContain('The server said \\x1b[31mno')
    expect(text).toContain('Zoom did not answer')
    expect(text).toContain('needs a step that did not work')
  })
  it('shows what a model wrote around a reference with its control characters made visible', () => {
    const text = frame(<LiveRun run={view([...started, {type: 'task-added', task: task(4, 'send_sms', [['+12025550101'], {template: ['\u001b[31mlink\u202e: ', {ref: 2}]}], [2]), effect: 'outward', attempt: 0}])} frame={0} width={120} rows={20} />, 120)
    expect(text).toContain('\\x1b[31mlink\\u{202e}: (step 2)')
  })
})

describe('the confirmation', () => {
  const open = async (): Promise<{keys: KeySource; answers: ConfirmAnswer[]; text: () => string}> => {
    const keys = new KeySource()
    const answers: ConfirmAnswer[] = []
    const app = render(<Keys.Provider value={keys}><Confirm preview={preview} width={80} rows={12} answer={a => answers.push(a)} /></Keys.Provider>)
    return {keys, answers, text: () => app.lastFrame() ?? ''}
  }
  const armed = async (keys: KeySource, press: string, seen: () => boolean): Promise<void> => {
    while (!seen()) { keys.feed(press); await settled() }
  }
  it('shows every recipient, where each part came from, and the whole text by scrolling', async () => {
    const {keys, text} = await open()
    expect(text()).toContain('+44 7700 900182, +49 151 2345 8890')
    expect(text()).toContain('looked up')
    expect(text()).toContain('FROM A DOCUMENT OR MAIL')
    expect(text()).not.toContain('line 40 of')
    await armed(keys, '\u001b[6~', () => text().includes('line 40 of') && text().includes('No SMS gateway'))
  })
  it('is not answered by keys typed before it could be read', async () => {
    const {keys, answers} = await open()
    keys.feed('sss')
    await settled()
    expect(answers).toEqual([])
  })
  it.each([['s', 'yes'], ['k', 'skip'], ['q', 'stop']])('takes %s as %s', async (key, answer) => {
    const {keys, answers} = await open()
    await armed(keys, key, () => answers.length > 0)
    expect(answers[0]).toBe(answer)
  })
  it('keeps a text full of tabs within its rows', () => {
    const tabs: Preview = {...preview, body: {text: `pay${'\t'.repeat(60)}at once`, arg: 'message'}}
    const rows = cardRows(tabs, 40).map(r => r.text)
    expect(rows.join('')).not.toContain('\t')
    for (const row of rows) expect(stringWidth(row)).toBeLessThanOrEqual(40)
    expect(rows.some(row => row.includes('at once'))).toBe(true)
  })
  it('marks what a reply takes from the mail that it answers, drawn or in plain lines', () => {
    const reply: Preview = {effect: 'outward', title: 'Reply', fields: [{label: 'To', value: ['eve@example.org'], source: 'document'}], body: {text: 'Yes\n\n> hi', arg: 'context', source: 'document'}, sources: {context: 'user'}}
    for (const shown of [cardRows(reply, 80).map(r => r.text).join('\n'), card(reply)]) {
      expect(shown).toContain('(FROM A DOCUMENT OR MAIL)')
      expect(shown).toMatch(/text .*FROM A DOCUMENT OR MAIL|Text \(FROM/)
      expect(shown).not.toContain('typed by you')
    }
  })
  it('lets the recipients be edited, as a list', async () => {
    const {keys, answers, text} = await open()
    await armed(keys, 'e', () => text().includes('Which one?'))
    keys.feed('1')
    await until(() => text().includes('Enter keeps it'))
    keys.feed('\u0015')
    keys.feed('+1 202 555 0111, +1 202 555 0112')
    await settled()
    keys.feed('\r')
    await until(() => answers.length > 0)
    expect(answers).toEqual([{edit: {recipients: ['+1 202 555 0111', '+1 202 555 0112']}}])
  })
})

it('a picker that nobody was typing over takes keys from its first frame on', () => {
  const question = {type: 'pick' as const, title: 'Which Ana?', candidates: [{value: 'a', label: 'Ana Duarte'}, {value: 'b', label: 'Ana Silva'}]}
  const answers: Answer[] = []
  const keys = new KeySource()
  render(<Keys.Provider value={keys}><Ask question={question} width={60} rows={10} answer={a => answers.push(a)} /></Keys.Provider>)
  keys.feed('2')
  expect(answers).toEqual([{value: 'b'}])
})

it('a picker takes the one that was typed for, and Escape takes none', async () => {
  const question = {type: 'pick' as const, title: 'Which Ana?', candidates: [{value: 'a', label: 'Ana Duarte'}, {value: 'b', label: 'Ana Silva'}]}
  const answers: Answer[] = []
  const keys = new KeySource()
  const app = render(<Keys.Provider value={keys}><Ask question={question} width={60} rows={10} answer={a => answers.push(a)} /></Keys.Provider>)
  await until(() => (app.lastFrame() ?? '').includes('Ana Duarte'))
  await settled()
  keys.feed('silva')
  await until(() => !(app.lastFrame() ?? '').includes('Duarte'))
  keys.feed('\r')
  await until(() => answers.length > 0)
  keys.feed('\u001b')
  await until(() => answers.length > 1)
  expect(answers).toEqual([{value: 'b'}, undefined])
})

it('a question with suggestions shows those that begin as what is typed; Tab completes, and another answer is as good', async () => {
  const question = {type: 'input' as const, title: 'Which city?', suggestions: ['New York', 'Oslo', 'Osaka']}
  const answers: Answer[] = []
  const keys = new KeySource()
  const app = render(<Keys.Provider value={keys}><Ask question={question} width={60} rows={10} answer={a => answers.push(a)} /></Keys.Provider>)
  await until(() => (app.lastFrame() ?? '').includes('New York  Oslo  Osaka'))
  await settled()
  keys.feed('o\t')
  await until(() => !(app.lastFrame() ?? '').includes('New York'))
  keys.feed('l\t\r')
  await until(() => answers.length > 0)
  keys.feed('\u0015Bergen\t\r')
  await until(() => answers.length > 1)
  expect(answers).toEqual([{value: 'Oslo'}, {value: 'Bergen'}])
})

function InputAlone({complete}: {complete: Complete}) {
  const editor = useLatest(emptyEditor)
  return <Input editor={editor} isShown isAhead={false} isSeen={() => true} takesKeys typed={() => undefined} width={80} history={[]} submit={() => undefined} exit={() => undefined} complete={complete} speak={() => undefined} />
}

it('completion shows names of files and contacts with their control characters made visible', async () => {
  const keys = new KeySource()
  const complete = async () => ({from: 0, options: ['a\u001b[2Jb', 'a\u202ec']})
  const app = render(<Keys.Provider value={keys}><InputAlone complete={complete} /></Keys.Provider>)
  await settled()
  keys.feed('a\t')
  await until(() => (app.lastFrame() ?? '').includes('a\\x1b[2Jb  a\\u{202e}c'))
})

it('a dialog that follows another begins anew: no answer and no key meant for the first reaches it', async () => {
  const answers: (ConfirmAnswer | Answer)[] = []
  const question = (name: string) => ({type: 'input' as const, title: `What is ${name}'s address?`, save: {name, field: 'email' as const}})
  const deps: InkDeps = {
    run: async (request, {emit, ask, confirm, signal}) => {
      await emit({type: 'request', id: 'r', request, now: '2026-03-03T09:00:00', dryRun: false})
      for (const name of ['Ana', 'Bo']) answers.push(await ask(question(name), signal))
      for (const title of ['First', 'Second']) answers.push(await confirm({...preview, title}, signal))
      return {exitCode: 0}
    },
    tools: [], commands: {}, contacts: () => Promise.resolve([]), files: () => Promise.resolve([]), historyFile: '/nonexistent/history', version: '0.0.0', ...noVoice,
  }
  const keys = new KeySource()
  const codes: number[] = []
  const app = render(<Keys.Provider value={keys}><App deps={deps} request="x" options={{dryRun: false}} suspend={() => () => undefined} leave={c => codes.push(c)} /></Keys.Provider>)
  const shows = (text: string): Promise<void> => until(() => (app.lastFrame() ?? '').includes(text))
  await shows("Ana's address")
  await settled()
  keys.feed('ana@example.org\r')
  await shows('as Ana?')
  keys.feed('y')
  await shows("Bo's address")
  expect(app.lastFrame()).not.toContain('[y]es')
  await settled()
  keys.feed('\u001b')
  await shows('First')
  while (answers.length < 3) { keys.feed('s'); await settled() }
  await shows('Second')
  // A key pressed twice must not answer a card that could not be read yet.
  expect(app.frames.find(f => f.includes('Second'))).not.toContain('[s]end')
  await shows('[s]end')
  keys.feed('k')
  await until(() => codes.length > 0)
  expect(answers).toEqual([{value: 'ana@example.org', save: true}, undefined, 'yes', 'skip'])
})

it('the REPL runs a request, shows its answer and takes the next one; /nonsense suggests a command', async () => {
  const requests: string[] = []
  const deps: InkDeps = {
    run: async (request, {emit}) => {
      requests.push(request)
      await emit({type: 'request', id: 'r', request, now: '2026-03-03T09:00:00', dryRun: false})
      await emit({type: 'answer', text: `did: ${request}`})
      await emit({type: 'done', status: 'done', exitCode: 0, ms: 1})
      return {exitCode: 0}
    },
    tools: [], commands: {log: () => Promise.resolve('nothing yet')}, contacts: () => Promise.resolve(['Ana Duarte']), files: () => Promise.resolve([]),
    historyFile: '/nonexistent/history', version: '0.0.0', ...noVoice,
  }
  const keys = new KeySource()
  const codes: number[] = []
  const app = render(<Keys.Provider value={keys}><App deps={deps} options={{dryRun: false}} suspend={() => () => undefined} leave={c => codes.push(c)} /></Keys.Provider>)
  const all = (): string => app.frames.join('\n')
  await until(() => all().includes('What shall I do?'))
  await settled()
  keys.feed('text Ana\r')
  await until(() => all().includes('did: text Ana'))
  await until(() => (app.lastFrame() ?? '').includes('What shall I do?'))
  await settled()
  keys.feed('/lgo\r')
  await until(() => all().includes('Did you mean /log?'))
  keys.feed('/exit\r')
  await until(() => codes.length > 0)
  expect(requests).toEqual(['text Ana'])
  expect(codes).toEqual([0])
})

describe('somebody else\'s text for the input line', () => {
  const openWith = async (draft: string) => {
    const requests: string[] = []
    let give = (): void => undefined
    const deps: InkDeps = {
      run: async request => { requests.push(request); return {exitCode: 0} },
      tools: [], commands: {take: () => new Promise(resolve => { give = () => resolve({draft, from: 'the prompt p of s'}) })},
      contacts: () => Promise.resolve([]), files: () => Promise.resolve([]), historyFile: '/nonexistent/history', version: '0.0.0', ...noVoice,
    }
    const keys = new KeySource()
    const app = render(<Keys.Provider value={keys}><App deps={deps} options={{dryRun: false}} suspend={() => () => undefined} leave={() => undefined} /></Keys.Provider>)
    const last = (): string => app.lastFrame() ?? ''
    await until(() => last().includes('What shall I do?'))
    await settled()
    keys.feed('/take\r')
    await until(() => last().includes('/take   Esc stops'))
    return {keys, requests, last, give: () => give()}
  }

  it('is there to be read and changed, and an Enter that was on its way does not send it', async () => {
    const {keys, requests, last, give} = await openWith('Text Ana hi')
    give()
    await until(() => last().includes('❯ Text Ana hi'))
    expect(last()).toContain('From the prompt p of s, now in your input line.')
    expect(last()).not.toContain('| Text Ana hi')
    keys.feed('\r')
    await settled()
    expect(requests).toEqual([])
    keys.feed(' now')
    await until(() => last().includes('Text Ana hi now'))
    await until(() => { keys.feed('\r'); return requests.length > 0 })
    expect(requests).toEqual(['Text Ana hi now'])
  })

  it('is shown whole above where the line does not show all of it', async () => {
    const lines = Array.from({length: 9}, (_, i) => `line ${i + 1}`)
    const {last, give} = await openWith(lines.join('\n'))
    give()
    await until(() => last().includes('  | line 1\n  | line 2'))
    for (const line of lines) expect(last()).toContain(`  | ${line}`)
  })

  it('is not mixed with what is being typed', async () => {
    const {keys, requests, last, give} = await openWith('Text Ana hi')
    keys.feed('remind me')
    await settled()
    give()
    await until(() => last().includes('You were typing, so it was not put into the input line'))
    expect(last()).toContain('  | Text Ana hi')
    expect(last()).toContain('❯ remind me')
    keys.feed('\r')
    await until(() => requests.length > 0)
    expect(requests).toEqual(['remind me'])
  })

  it('is not mixed with what waits to be done either', async () => {
    const {keys, requests, last, give} = await openWith('Text Ana hi')
    keys.feed('remind me\r')
    await settled()
    give()
    await until(() => requests.length > 0)
    expect(last()).toContain('You were typing')
    expect(requests).toEqual(['remind me'])
  })
})

describe('what is typed while a request runs', () => {
  const openRepl = () => {
    const requests: string[] = []
    const answers: ConfirmAnswer[] = []
    const go: (() => void)[] = []
    const deps: InkDeps = {
      run: async (request, {emit, confirm, signal}) => {
        requests.push(request)
        await emit({type: 'request', id: 'r', request, now: '2026-03-03T09:00:00', dryRun: false})
        await new Promise<void>(resolve => { go.push(resolve); signal.addEventListener('abort', () => resolve()) })
        if (request.startsWith('text') && !signal.aborted) answers.push(await confirm(preview, signal))
        await emit({type: 'answer', text: `did: ${request}`})
        await emit({type: 'done', status: 'done', exitCode: 0, ms: 1})
        return {exitCode: 0}
      },
      tools: [], commands: {}, contacts: () => Promise.resolve([]), files: () => Promise.resolve([]), historyFile: '/nonexistent/history', version: '0.0.0',
      dictate: () => Promise.reject(new Error('no microphone here')), sendSpoken: false,
    }
    const keys = new KeySource()
    const app = render(<Keys.Provider value={keys}><App deps={deps} options={{dryRun: false}} suspend={() => () => undefined} leave={() => undefined} /></Keys.Provider>)
    const last = (): string => app.lastFrame() ?? ''
    return {requests, answers, go, keys, app, last, shows: (text: string) => until(() => last().includes(text))}
  }

  it('is kept, shown, and sent off when its turn comes', async () => {
    const {keys, go, requests, shows, last} = openRepl()
    await shows('What shall I do?')
    await settled()
    keys.feed('first\r')
    await until(() => go.length === 1)
    keys.feed('second\rhalf a th')
    await shows('half a th')
    expect(last()).toContain('1 more to do: second')
    expect(requests).toEqual(['first'])
    go[0]!()
    await until(() => go.length === 2)
    expect(requests).toEqual(['first', 'second'])
    go[1]!()
    await until(() => !last().includes('Choosing'))
    keys.feed('ought\r')
    await until(() => requests.length === 3)
    expect(requests[2]).toBe('half a thought')
  })

  it('does not answer a card that comes up in the middle of a word, and the word goes on', async () => {
    const {keys, go, answers, shows, last} = openRepl()
    await shows('What shall I do?')
    await settled()
    keys.feed('text Ana\r')
    await until(() => go.length === 1)
    keys.feed('and a')
    await shows('and a')
    go[0]!()
    await shows('Text message')
    for (const letter of 'sk') { keys.feed(letter); await settled() }
    expect(answers).toEqual([])
    await shows('and ask')
    await shows('[s]end')
    expect(last()).not.toContain('and ask') // the card has the keys now
    keys.feed('k')
    await until(() => answers.length > 0)
    expect(answers).toEqual(['skip'])
    await shows('and ask')
  })

  it('Escape stops what runs and says what was not started', async () => {
    const {keys, go, requests, shows, app} = openRepl()
    await shows('What shall I do?')
    await settled()
    keys.feed('first\r')
    await until(() => go.length === 1)
    keys.feed('second\r')
    await shows('1 more to do')
    keys.feed('\u001b')
    await until(() => app.frames.join('').includes('Not started: second'))
    expect(requests).toEqual(['first'])
  })
})

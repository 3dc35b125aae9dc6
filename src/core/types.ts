// The data that travels down the one path (STYLE: "The data and its one direction"): tools, plans, values, events. Data only:
// this file imports nothing of ours, and everything else imports it.
import type {z} from 'zod'

/** What a call does to the world. `local` stays on this machine and can be undone; `outward` cannot be taken back. */
export type Effect = 'read' | 'local' | 'outward'

/** What an argument is; the grammar, the resolver and the training data follow from it (core/params.ts). */
export type Kind =
  | 'person' // a name to look up: a span of the request, never an address or number
  | 'address' // an e-mail address: typed by the user, or the result of a look-up
  | 'phone' // a phone number: typed by the user, or the result of a look-up
  | 'file' // a file as the user names it
  | 'path' // an absolute path typed by the user, or the result of finding a file
  | 'place' // a place as the user names it; "" where the tool says so
  | 'when' // a date or time in the user's words; resolved to "YYYY-MM-DD[ HH:MM:SS]"
  | 'until' // the end of the `when` before it: a time, a duration in words, or ""
  | 'minutes' // a whole number of minutes
  | 'label' // the name of a folder, list, calendar or note: a span, or ""
  | 'title' // free text, short, no references
  | 'text' // free text, may hold references
  | 'choice' // one of `values`
  | 'integer'
  | 'number'
  | 'boolean'
  | 'all-day' // boolean: the `when` of the same call has a day and no time
  | 'any' // an argument of a tool that is not ours: text or references of any type

/** What the result of a call is, and so where a reference to it may stand. `none`: nothing refers to it. */
export type ResultKind = 'address' | 'phone' | 'path' | 'text' | 'link' | 'any' | 'none'

/** One argument of a tool, read off its schema. `list`: the argument is a list of `kind`. */
export interface Param {
  name: string
  kind: Kind
  list: boolean
  /** for `choice` */
  values?: (string | number)[]
  /** shown in the prompt only for tools that are not ours */
  description?: string
  /** known of a tool that is not ours: "", 0 and false say that the user said nothing of it */
  optional?: true
}

/** The result of call `ref`, standing for itself. */
export interface Ref { ref: number }
/** A text with references inside it, in pieces: ["Here is the link: ", {ref: 2}]. */
export interface Template { template: (string | Ref)[] }
export type Arg = string | number | boolean | Ref | Template | Arg[]

/** One call of a plan. `join()` is not a task, it is the end of the plan. */
export interface Task {
  id: number
  tool: string
  args: Arg[]
  /** ids of the calls whose results `args` hold, ascending, each once; always smaller than `id` */
  dependsOn: number[]
}

export interface Plan { tasks: Task[] }

export type Json = string | number | boolean | null | Json[] | {[key: string]: Json}

/** Where a value came from: typed by the user (or their standing instructions), looked up, put in writing by the user's model, or read from a document or mail. */
export type Source = 'user' | 'lookup' | 'model' | 'document'

/** What the user's writing model (model.writer) is asked for. */
export interface Writing {
  form: 'mail' | 'note' | 'summary'
  /** what is put in writing: the user's words, of a summary the document's sentences */
  words: string
  /** the mail that is answered: anybody's text */
  document?: string
  /** what the text may name besides `words` and `document`: people, a subject, the whole document */
  known?: string[]
}
/** `text` undefined: what it wrote cannot be used. `notice` says whose text it is, or why it is not the model's. */
export interface Written { text?: string; notice: string }
/** undefined: there is nothing to put in writing. Rejects only where `signal` aborts. */
export type Write = (writing: Writing, options: {signal: AbortSignal; progress(message: string): void}) => Promise<Written | undefined>

/** What a tool is to the planner: enough for the prompt, the grammar and the resolver. No backend behind it. */
export interface ToolSpec<S extends z.ZodObject = z.ZodObject> {
  name: string
  /** one line; prompt, retriever, `tinyagent tools` and the README show it */
  description: string
  /** key order is the order in a plan */
  args: S
  /** the most it can do; one call may do less (see `preview`) */
  effect: Effect
  returns: ResultKind
  /** where its result comes from; `document`: text that the user did not write (default `lookup`) */
  source?: Source
  /** true for plug-ins and MCP tools: the prompt describes their arguments too */
  foreign?: boolean
}

/** A thing that a call reads or writes, e.g. "note:Shopping". Two calls on one thing, one writing, keep the plan's order. */
export interface Touch { thing: string; writes: boolean }

/** A question to the user that is not a confirmation: which Ana, what address. */
export type Question =
  | {type: 'pick'; title: string; candidates: Candidate[]}
  | {type: 'input'; title: string; placeholder?: string; /** offer to keep the answer in the contacts under this name */ save?: {name: string; field: 'email' | 'phone'}; /** nothing is an answer, too: '' */ isOptional?: boolean; /** answers that fit, among others; Tab completes to them */ suggestions?: string[]}
export interface Candidate { value: string; label: string; detail?: string }
/** `undefined`: nobody is there, or the user gave none. */
export type Answer = {value: string; save?: boolean} | undefined

/** In front of a line of a setup: what came of something, or that it says more about the line before. */
export type Mark = 'done' | 'failed' | 'note'

export interface AskOptions {
  preset?: string | undefined
  /** Says what is wrong with an answer, which is then asked for again. */
  check?: (answer: string) => string | undefined
  /** the answer is no longer needed */
  signal?: AbortSignal
}

/** How a setup talks with the user: the Ink wizard, plain lines, or standard input alone where nobody can be asked. Every question rejects with
    UsageError where the user leaves it, and with the signal's reason where that aborts. */
export interface Prompter {
  /** false: options, environment and standard input say everything, and `ask` and `choose` are not called */
  canAsk: boolean
  say(line: string, mark?: Mark): void
  /** The answer, trimmed; '' for none. */
  ask(question: string, options?: AskOptions): Promise<string>
  choose<T extends string>(question: string, choices: (Candidate & {value: T})[], preset?: T): Promise<T>
  /** Neither echoed nor trimmed; '' for none. Where nobody can be asked, the first line of standard input, unchecked. */
  secret(question: string, options?: Pick<AskOptions, 'check'>): Promise<string>
  /** Shows that `work` goes on. Its signal aborts, too, when the user goes back meanwhile; then it rejects as a question does. */
  progress<T>(what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>
}

export interface ToolContext {
  signal: AbortSignal
  /** the clock of the request; tools never read another one for its meaning */
  now: Date
  /** the journal's key of this call: stable, unique; used as UID, Message-ID or idempotency key */
  key: string
  /** asks the user; resolves to undefined where nobody is there. Waits until the whole plan is written. */
  ask(question: Question): Promise<Answer>
  /** `fraction` from 0 to 1 where it is known */
  progress(message: string, fraction?: number): void
  /** The user's writing model; its time does not count as the call's. Absent: there is none, or nobody would read what it wrote. */
  write?(writing: Writing): Promise<Written | undefined>
  /**
   * A change on this machine beside the call's own (an answer that is kept, a draft of what was not sent): journalled before and
   * after it is made, and taken back by the tool's `undo`. `args` say in the journal what is done. Once a call.
   */
  aside(args: {[name: string]: Json}, change: () => Promise<Result>): Promise<Result>
}

export interface PreviewField {
  label: string
  value: string | string[]
  /** the tool argument that it shows, when editing it is possible; its source is looked up by this name */
  arg?: string
  /** where it comes from when its argument does not say so: what a reply takes from the mail that it answers */
  source?: Source
}

/** Exactly what a call would do, for the dry run, the dialog and `--json`. Made without writing anything. */
export interface Preview {
  /** what this call does, never more than the tool's own effect: an event without invitees is `local` */
  effect: Effect
  title: string
  fields: PreviewField[]
  /** the full text that would leave or be written; `arg` and `source` as in PreviewField */
  body?: {text: string; arg?: string; source?: Source}
  attachments?: {name: string; path: string; bytes: number; type: string; /** whose it is, where it is no file of the user's (`Attached`) */ from?: string}[]
  /** source of each argument by name; filled in by the executor */
  sources?: Record<string, Source>
  /** one line of truth the user needs, e.g. "No SMS gateway is configured: the message goes to the outbox." */
  notice?: string
}

export interface Result {
  /** what `$k` stands for */
  value: string
  /** one line for people, past tense, no final stop: "Added 'Dentist' on Tue 3 Mar 2026, 15:00 to 16:00" */
  summary: string
  /** what `undo` needs; absent when there is nothing to take back */
  undo?: Json
  /** where to look: path or link */
  where?: string
}

/** A call that was begun and never ended, since the program was killed in between. `at`: when it was begun. */
export interface CutOff { key: string; at: Date; signal: AbortSignal }

/** What became of it. `done`: `summary` is that of its result; else it says what is known and where to look, in sentences. */
export interface Settled {
  state: 'done' | 'failed' | 'unknown'
  summary: string
  undo?: Json
  /** 'unknown', and a later look may know: who could tell was not to be reached */
  again?: boolean
}

export interface Tool<S extends z.ZodObject = z.ZodObject> extends ToolSpec<S> {
  /** what it reads and writes, for order between tasks; default nothing */
  touches?(args: z.infer<S>): Touch[]
  /** which argument the user's writing model may put in writing; asked once, before the first preview. undefined: none of this call */
  writes?(args: z.infer<S>, context: ToolContext): Promise<Writing & {arg: string} | undefined>
  /** must not write, send or change anything */
  preview(args: z.infer<S>, context: ToolContext): Promise<Preview>
  /** throws ToolError (core/errors.ts); a failure is never a value */
  run(args: z.infer<S>, context: ToolContext): Promise<Result>
  /** What is kept of an outward call that the user skipped, through `aside`; undefined: nothing. */
  keep?(args: z.infer<S>, context: ToolContext): Promise<Result | undefined>
  /**
   * Whether a call that was cut off was done: looks, asks who can tell, and does nothing again; `failed` only where it surely was not
   * done. Absent, or where it throws: nobody can tell.
   */
  settle?(args: z.infer<S>, call: CutOff): Promise<Settled>
  /** takes back one earlier run; returns one line for people. Throws ToolError 'refused' where the thing has changed since. */
  undo?(token: Json, context: ToolContext): Promise<string>
}

/** A tool with its argument types inferred from its schema, kept in a list of tools of any schema. */
export function tool<S extends z.ZodObject>(definition: Tool<S>): Tool {
  // Tool<S> is contravariant in its arguments; they have passed S.parse() before preview and run see them.
  return definition as unknown as Tool
}

/** What a request names and does not hold, as a file: a resource of a server. Somebody else's text. */
export interface Attached {
  /** for people: "note:///today of the MCP server home" */
  from: string
  path: string
  bytes: number
  type: string
  /** of a text: stands in an argument that is text, in the place of the path */
  text?: string
}

/** A tool that the retriever picked. `score` from 0 to 1; 1 for tools that are always on. */
export interface SelectedTool { name: string; score: number }

export interface Outcome {
  status: 'done' | 'failed' | 'skipped'
  result?: Result
  error?: ErrorInfo
}

export type RunStatus = 'done' | 'failed' | 'partly' | 'cancelled' | 'needs-confirmation'

export interface ErrorInfo {
  code: string
  message: string
  candidates?: Candidate[]
}

export type ConfirmAnswer = 'yes' | 'skip' | 'stop' | {edit: Record<string, Json>}

export interface Timings {
  retrieveMs: number
  promptTokens: number
  /** from the request to the first whole task; absent when the plan has none */
  firstTaskMs?: number
  planMs: number
}

/** One union for Ink, plain output, --json and the journal. Plain JSON; docs/events.md is generated from it. */
export type Event =
  | {type: 'request'; id: string; request: string; now: string; dryRun: boolean; /** what a follow-up was understood as; this is planned */ as?: string}
  /** what the request names was read (`@SERVER:URI`), and is planned as a file */
  | {type: 'attached'; files: {from: string; path: string; bytes: number; type: string}[]}
  | {type: 'tools-selected'; tools: SelectedTool[]; ms: number}
  | {type: 'plan-delta'; text: string}
  | {type: 'task-added'; task: Task; effect: Effect; attempt: number; /** what it stands in the place of: a call of the last request, in a line */ insteadOf?: string}
  /** the whole plan, resolved and repaired; `dropped` lists tasks that repair took out */
  | {type: 'plan-done'; plan: string; timings: Timings; repairs: string[]; dropped: number[]; /** the plan that the user has approved for this request before */ example?: boolean}
  | {type: 'question-asked'; id: number; question: Question}
  | {type: 'question-answered'; id: number; answered: boolean}
  | {type: 'preview'; id: number; preview: Preview}
  | {type: 'confirm-asked'; id: number; preview: Preview}
  | {type: 'confirm-answered'; id: number; answer: 'yes' | 'skip' | 'stop' | 'edit'; by: 'user' | 'policy' | 'nobody'; /** the rule that allowed it */ rule?: string}
  /** `args` by name, resolved; `key` is the journal's key of a local or outward effect */
  | {type: 'task-started'; id: number; tool: string; args: {[name: string]: Json}; effect: Effect; key: string}
  | {type: 'task-progress'; id: number; message: string; fraction?: number}
  /** `isEarlier`: by the last request, and not again; `tookBack`: the earlier call that this one stands in the place of, or why it stays */
  | {type: 'task-done'; id: number; result: Result; ms: number; isEarlier?: boolean; tookBack?: string}
  | {type: 'task-failed'; id: number; error: ErrorInfo; ms: number}
  | {type: 'task-skipped'; id: number; reason: 'dependency' | 'user' | 'dropped' | 'cancelled' | 'nobody' | 'dry-run'; /** what was kept of it, e.g. a draft */ kept?: string}
  /** a change on this machine beside the step's own (ToolContext.aside); `key` is its journal's key */
  | {type: 'aside-started'; id: number; tool: string; args: {[name: string]: Json}; key: string}
  | {type: 'aside-done'; key: string; result: Result}
  | {type: 'aside-failed'; key: string; error: ErrorInfo}
  | {type: 'replan'; attempt: number; reason: string}
  | {type: 'answer'; text: string}
  | {type: 'error'; error: ErrorInfo}
  | {type: 'done'; status: RunStatus; exitCode: number; ms: number}

/** Awaited, so that the journal's line is on disk before a side effect begins. */
export type Emit = (event: Event) => Promise<void> | void

/** What a standing rule says of an outward call; `rule`: which one it was, for people. */
export interface Verdict { allowed: boolean; rule?: string }

/** The one thing that goes up: a person's word on an outward step. No default. One dialog at a time. */
export type Confirm = (preview: Preview, signal: AbortSignal) => Promise<ConfirmAnswer>
export type Ask = (question: Question, signal: AbortSignal) => Promise<Answer>

/** For each tool the chances that a request needs it at least once, twice, and so on. */
export type Chances = ReadonlyMap<string, readonly number[]>

/** `calls`: its chances, where the retriever tells any */
export interface RetrievedTool extends SelectedTool { calls?: readonly number[] }

/** The tool retriever (Tool RAG). */
export interface Retriever {
  /** Standing instructions may need tools of their own ("always cc Sid" needs Sid's address). */
  select(request: string, tools: ToolSpec[], signal: AbortSignal, instructions?: string): Promise<RetrievedTool[]>
  /** unit vectors, one a text; cosine is the dot product */
  embed(texts: string[], signal: AbortSignal): Promise<Float32Array[]>
}

export interface PlanInput {
  request: string
  now: Date
  /** the user's standing instructions */
  instructions?: string
  /** selected tools, in registry order */
  tools: ToolSpec[]
  /** the retriever's, weighed with the planner's own (core/prior.ts) */
  chances?: Chances
  /** on a replan: what was planned and what went wrong */
  previous?: {plan: string; error: string}
  /** in-context examples, the nearest last; only an evaluation has them: the embedded planner was trained without */
  examples?: {request: string; plan: string}[]
  signal: AbortSignal
}

export type PlanPiece = {delta: string} | {task: Task}

export interface PlanSummary {
  /** the whole plan after repair; ids as in the stream */
  plan: Plan
  repairs: string[]
  /** ids of streamed tasks that repair took out */
  dropped: number[]
  promptTokens: number
  generatedTokens: number
}

/** Yields text and whole tasks as they are written, each task once, ids ascending; returns the plan after repair. */
export interface Planner {
  readonly name: string
  plan(input: PlanInput): AsyncGenerator<PlanPiece, PlanSummary>
  close(): Promise<void>
}

/** What is shown of a dictation while it goes on. */
export interface DictationView {
  /** `writing`: nobody listens any more, the last words are being written down */
  phase: 'opening' | 'listening' | 'writing'
  /** milliseconds heard */
  ms: number
  /** loudness from 0 to 1, a tenth of a second each, the newest last */
  levels: number[]
  hasSpoken: boolean
  /** what has been written down so far; '' for short ones */
  partial: string
  /** what to check when nothing comes */
  hint?: string
}
/** What came of it. `notice` says why it ended before its time; '' where nobody spoke, and then the notice says so. `note`: which names are written otherwise than they were heard. */
export interface Dictation { text: string; notice?: string; note?: string }
/** Listens until silence, `stop` or a limit; throws the reason of `signal`, which throws away what was said. */
export type Dictate = (options: {stop: AbortSignal; signal: AbortSignal; onView: (view: DictationView) => void}) => Promise<Dictation>

// Classic Outlook, asked over COM by Windows' own PowerShell. A script is a constant; what it is about goes in on standard input as JSON in
// ASCII, so that nothing that anybody wrote is ever program text or in a command line, and comes back the same way.
import {ToolError} from '../../core/errors.ts'
import {exec, windowsOwn} from '../../core/exec.ts'
import {asciiJson, oneLine} from '../../core/text.ts'
import type {Json} from '../../core/types.ts'

/** `source` defines `Main($asked)`, which gives back one hashtable. `Made` in it says that the change may be done from here on: what fails later leaves it 'unknown'. */
export interface Script { source: string; /** it changes something: no answer is then 'unknown', and not just a timeout */ isChange?: boolean }

/** What stands for Windows; tests hand in another one. */
export interface Windows { platform?: NodeJS.Platform; exec?: typeof exec }

/** Runs a script; throws ToolError. */
export type AskOutlook = (script: Script, input: Json, signal?: AbortSignal) => Promise<unknown>

/** Outlook may have to start, and asks the user where it distrusts programs. */
const timeoutMs = 120_000
/** Thousands of contacts or notes. */
const maxBytes = 64 * 1024 * 1024

/**
 * `$input` must not be used: PowerShell would read standard input for it, in the console's code page. Its `-eq` takes capitals and small
 * letters alike, its `-ceq` does not. What a call gives back and nobody takes is part of a function's result, so calls for their effect are `[void]`.
 */
const before = String.raw`
$ErrorActionPreference = 'Stop'
$script:isMade = $false
$epoch = New-Object System.DateTime 1970, 1, 1, 0, 0, 0, ([System.DateTimeKind]::Utc)
function Made { $script:isMade = $true }
function Ms($date) {
  if ($null -eq $date -or $date.Year -ge 4500) { return $null }
  return [long]($date.ToUniversalTime() - $epoch).TotalMilliseconds
}
function When($ms) { return $epoch.AddMilliseconds($ms).ToLocalTime() }
function Day($day) { return [System.DateTime]::ParseExact($day, 'yyyy-MM-dd', [System.Globalization.CultureInfo]::InvariantCulture) }
function Json($value) {
  if ($null -eq $value) { return 'null' }
  if ($value -is [bool]) { if ($value) { return 'true' } else { return 'false' } }
  if ($value -is [string]) {
    return '"' + [regex]::Replace($value, '[^ !#-\[\]-~]', { param($found) '\u{0:x4}' -f [int][char]$found.Value }) + '"'
  }
  if ($value -is [System.Collections.IDictionary]) {
    $parts = foreach ($key in $value.Keys) { (Json ([string]$key)) + ':' + (Json $value[$key]) }
    return '{' + (@($parts) -join ',') + '}'
  }
  if ($value -is [System.Collections.IEnumerable]) {
    $parts = foreach ($one in $value) { Json $one }
    return '[' + (@($parts) -join ',') + ']'
  }
  return $value.ToString([System.Globalization.CultureInfo]::InvariantCulture)
}
function Innermost($problem) {
  while ($null -ne $problem.InnerException) { $problem = $problem.InnerException }
  return $problem
}
function CodeOf($problem) { return '{0:X8}' -f (Innermost $problem).HResult }
function ItemOf($id) {
  try { return $session.GetItemFromID($id) } catch {
    if ('8004010F', '80040107' -notcontains (CodeOf $_.Exception)) { throw }
    return $null
  }
}
function Below($folder, $type) {
  foreach ($one in $folder.Folders) {
    if ($one.DefaultItemType -eq $type) {
      $one
      Below $one $type
    }
  }
}
function FoldersOf($kind, $type) {
  $usual = $session.GetDefaultFolder($kind)
  $usual
  Below $usual $type
}
function Named($kind, $type, $name) {
  if ($name -eq '') { return $session.GetDefaultFolder($kind) }
  foreach ($one in (FoldersOf $kind $type)) { if ($one.Name.Trim() -eq $name) { return $one } }
  return $session.GetDefaultFolder($kind).Folders.Add($name, $kind)
}
function AccountOf($address) {
  foreach ($one in $session.Accounts) { if ($one.SmtpAddress -eq $address) { return $one } }
  return $null
}
function SendBy($item, $account) {
  $item.SendUsingAccount = $account
  $by = $item.SendUsingAccount
  return ($null -ne $by -and $by.SmtpAddress -eq $account.SmtpAddress)
}
function Property($of, $tag) {
  try { return [string]$of.PropertyAccessor.GetProperty('http://schemas.microsoft.com/mapi/proptag/' + $tag) } catch { return '' }
}
function AddressOf($recipient) {
  $smtp = Property $recipient '0x39FE001F'
  if ($smtp -ne '') { return $smtp }
  return [string]$recipient.Address
}
`

const after = String.raw`
try {
  $reader = New-Object System.IO.StreamReader ([System.Console]::OpenStandardInput()), ([System.Text.Encoding]::UTF8)
  $asked = ConvertFrom-Json ($reader.ReadToEnd())
  $outlook = New-Object -ComObject Outlook.Application
  $session = $outlook.GetNamespace('MAPI')
  $answer = @{ value = (Main $asked) }
} catch {
  $answer = @{ failed = [string](Innermost $_.Exception).Message; code = (CodeOf $_.Exception); isMade = $script:isMade }
}
$bytes = [System.Text.Encoding]::ASCII.GetBytes((Json $answer))
$out = [System.Console]::OpenStandardOutput()
[void]$out.Write($bytes, 0, $bytes.Length)
[void]$out.Flush()
`

/** The whole program. -EncodedCommand takes it as UTF-16, so that no quoting of a command line touches it. */
export const programOf = ({source}: Script): string => before + source + after

export function askOutlook({platform = process.platform, exec: run = exec}: Windows = {}): AskOutlook {
  return async (script, input, signal) => {
    const {isChange = false} = script
    if (platform !== 'win32') throw new ToolError('unavailable', 'The outlook backend needs Windows. Set another backend in the config (`tinyagent config edit`).')
    const unheard = (why: string): ToolError => isChange
      ? new ToolError('unknown', `Outlook ${why}, so it may have been done all the same. Look there before you do it again.`)
      : new ToolError('timeout', `Outlook ${why}. If it shows a question, answer it there, and try again.`)
    const encoded = Buffer.from(programOf(script), 'utf16le').toString('base64')
    const {stdout} = await run(windowsOwn('WindowsPowerShell\\v1.0\\powershell.exe'), ['-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-EncodedCommand', encoded], {input: asciiJson(input), timeoutMs, maxBytes, ...(signal && {signal})})
      .catch((error: unknown) => {
        if (error instanceof ToolError && error.code === 'timeout') throw unheard(`did not answer within ${timeoutMs / 1000} seconds`)
        throw error
      })
    const answer = readAnswer(stdout)
    if (!answer) throw unheard('gave no answer that can be read')
    if ('value' in answer) return answer.value
    const said = oneLine(answer.failed).slice(0, 200)
    if (answer.isMade) throw new ToolError('unknown', `Outlook began it, and then failed (${said}). Look there whether it is done before you do it again.`)
    throw failure(answer.code, said, unheard)
  }
}

interface Failed { failed: string; code: string; isMade: boolean }

function readAnswer(stdout: string): {value: unknown} | Failed | undefined {
  try {
    const answer: unknown = JSON.parse(stdout)
    if (typeof answer !== 'object' || answer === null) return undefined
    if ('value' in answer) return answer
    const {failed, code, isMade} = answer as Partial<Failed> // each is looked at below
    return typeof failed === 'string' && typeof code === 'string' && typeof isMade === 'boolean' ? {failed, code, isMade} : undefined
  } catch {
    return undefined
  }
}

/** COM's numbers (winerror.h): what they mean, and what to do. */
function failure(code: string, said: string, unheard: (why: string) => ToolError): ToolError {
  switch (code) {
    case '80040154': // REGDB_E_CLASSNOTREG
    case '800401F3': // CO_E_CLASSSTRING
      return new ToolError('unavailable', 'Classic Outlook is not on this machine (the new Outlook and Outlook on the web can\'t be asked by programs). Install it, or set another backend in the config.')
    case '80080005': // CO_E_SERVER_EXEC_FAILURE
      return new ToolError('unavailable', 'Outlook could not be started, or runs with other rights than this terminal. Open it as the same user, neither as administrator, and try again.')
    case '80004004': // E_ABORT: what the object model guard's "Deny" gives
      return new ToolError('refused', 'Outlook did not let this program do it. Allow it in File > Options > Trust Center > Programmatic Access, or where Outlook asks, and try again.')
    case '80010001': // RPC_E_CALL_REJECTED
    case '8001010A': // RPC_E_SERVERCALL_RETRYLATER
      return new ToolError('unavailable', 'Outlook is busy, or shows a window that waits for you. Answer it there, and try again.')
    case '800706BA': // the server is not there
    case '800706BE': // the call failed
    case '80010108': // RPC_E_DISCONNECTED
      return unheard('has ended while it was asked')
  }
  return new ToolError('failed', `Outlook could not do it${said ? `: ${said}` : ''}.`)
}

// node-record-lpcm16 has no types. Each recorder file makes the command line of one program (docs/decisions.md says why only that is used).
interface RecorderOptions { sampleRate: number; channels: number; audioType: string; device?: string }
interface RecorderCommand { cmd: string; args: (string | number)[]; spawnOptions?: {env?: NodeJS.ProcessEnv} }
declare module 'node-record-lpcm16/recorders/sox.js' {
  export default function sox(options: RecorderOptions): RecorderCommand
}
declare module 'node-record-lpcm16/recorders/rec.js' {
  export default function rec(options: RecorderOptions): RecorderCommand
}
declare module 'node-record-lpcm16/recorders/arecord.js' {
  export default function arecord(options: RecorderOptions): RecorderCommand
}

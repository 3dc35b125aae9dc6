// whisper.cpp in a process of its own, started by whisper.ts: it can't be stopped in the middle of a piece other than with its process,
// it ends its process where it fails (a damaged model), and it writes to stderr as it likes.
import process from 'node:process'

// Ctrl-C is for the program that started this; when that has gone, nobody waits for the piece at work.
process.on('SIGINT', () => undefined)
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
// Before the import: it says less then.
process.env.NODE_ENV = 'production'

const {Whisper} = (await import('smart-whisper')).default
const whisper = new Whisper(process.argv[2], {gpu: process.argv[3] === 'gpu', offload: 86_400})
await whisper.load()

process.on('message', async ({samples, params}) => {
  try {
    const task = await whisper.transcribe(samples, params)
    // A failure is a value here.
    const segments = await task.result
    process.send(Array.isArray(segments) ? {segments} : {error: String(segments)})
  } catch (error) {
    process.send({error: String(error)})
  }
})
process.send({ready: true})

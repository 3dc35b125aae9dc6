// A program that embeds tinyagent: node examples/embed.mjs "text +14155550123 that I am late"
import {createInterface} from 'node:readline/promises'
import {createAgent} from 'tinyagent'

const agent = createAgent()
// Without `confirm` nothing would leave: each outward step is shown, and sent on a yes only.
const confirm = async (preview, signal) => {
  const lines = createInterface({input: process.stdin, output: process.stderr})
  try {
    const shown = preview.fields.map(({label, value}) => `${label}: ${value}`)
    const answer = await lines.question(`${[preview.title, ...shown, preview.body?.text ?? ''].join('\n')}\nSend it? [y/N] `, {signal})
    return answer === 'y' ? 'yes' : 'skip'
  } finally {
    lines.close()
  }
}
try {
  for await (const event of agent.run(process.argv[2] ?? '', {confirm})) {
    if (event.type === 'task-done') console.log(event.result.summary)
    if (event.type === 'task-failed' || event.type === 'error') console.error(event.error.message)
  }
} finally {
  await agent.close()
}

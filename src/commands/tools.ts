// `tinyagent tools`: what tinyagent can do, from the tools' own specs.
import {paramsOf} from '../core/params.ts'
import {specs} from '../tools/specs.ts'

const effects = {read: 'looks up', local: 'on this machine, can be undone', outward: 'asks first'}

export async function toolsCommand(isJson: boolean): Promise<number> {
  const rows = specs.map(s => ({name: s.name, description: s.description, effect: s.effect, args: paramsOf(s).map(p => p.name)}))
  process.stdout.write(isJson
    ? `${JSON.stringify(rows)}\n`
    : rows.map(r => `${r.name.padEnd(24)} ${r.description} (${effects[r.effect]})\n${' '.repeat(25)}${r.args.join(', ')}\n`).join(''))
  return 0
}

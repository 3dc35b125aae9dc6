import {readFileSync} from 'node:fs'
import {getLlama, LlamaGrammar} from 'node-llama-cpp'
import {lineGrammar} from '/work/main/src/core/grammar.ts'
import {parsePlan, printTask} from '/work/main/src/core/plan-parser.ts'
import {foreignSpec, foreignTool} from '/work/main/src/core/params.ts'
import {specs} from '/work/main/src/tools/specs.ts'
const [file, step] = [process.argv[2]!, Number(process.argv[3] ?? 1)]
const llama = await getLlama({gpu: false, build: 'never', logLevel: 'error' as never})
const rows = readFileSync(file, 'utf8').trim().split('\n').map(l => JSON.parse(l)).filter((_, i) => i % step === 0)
let lines = 0, badL = 0, badR = 0, ms = 0, cms = 0
for (const r of rows) {
  const all = [...specs, ...(r.tools ?? []).map((t: unknown) => foreignSpec(foreignTool.parse(t)))]
  const names = r.prompt ? new Set(r.prompt.slice(7).split('\n').map((l: string) => /^([\w.-]+)\(/.exec(l)?.[1])) : new Set(all.map(s => s.name))
  const tools = all.filter(s => names.has(s.name))
  let plan; try { plan = parsePlan(r.plan ?? r.completion) } catch { continue }
  let bad = 0
  for (let i = 0; i <= plan.tasks.length; i++) {
    const t0 = performance.now()
    const g = lineGrammar({id: i + 1, tools, tasks: plan.tasks.slice(0, i), text: `${(r.query ?? /\nQ: (.*)\nA:/.exec(r.prompt)[1])} ${r.instructions ?? /\nAlways: (.*)/.exec(r.prompt ?? "")?.[1] ?? ""}`})
    const t1 = performance.now()
    let gr
    try { gr = new LlamaGrammar(llama, {grammar: g}) } catch (e) { console.log('NO GRAMMAR', (r.query ?? /\nQ: (.*)\nA:/.exec(r.prompt)[1]), g); throw e }
    cms += performance.now() - t1; ms += t1 - t0
    const text = i < plan.tasks.length ? printTask(plan.tasks[i]!) + '\n' : `${i + 1}. join()`
    lines++
    if (!(gr as any)._testText(text)) { bad++; if (badL < 400) console.log('-- Q:', (r.query ?? /\nQ: (.*)\nA:/.exec(r.prompt)[1]), r.instructions ? `[${r.instructions}]` : '', '\n   ', text.trim()) ; badL++ }
  }
  if (bad) badR++
}
console.log({rows: rows.length, badR, lines, badL, grammarMs: ms / lines, compileMs: cms / lines})
process.exit(0)

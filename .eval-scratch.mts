import {readFileSync} from 'node:fs'
import {openPlanner} from '/work/main/src/core/planner.ts'
import {parsePlan, printPlan} from '/work/main/src/core/plan-parser.ts'
import {foreignSpec, foreignTool} from '/work/main/src/core/params.ts'
import {specs} from '/work/main/src/tools/specs.ts'
const [file, step, show] = [process.argv[2]!, Number(process.argv[3] ?? 1), process.argv[4]]
const p = await openPlanner({modelPath: process.env.MODEL ?? 'models/planner/tinyagent-135m-q4_0.gguf', threads: 2})
const rows = readFileSync(file, 'utf8').trim().split('\n').map(l => JSON.parse(l)).filter((_, i) => i % step === 0)
let ok = 0, shape = 0, err = 0; const firsts: number[] = [], plans: number[] = []; let pt = 0, gt = 0, ms = 0; const rep: Record<string, number> = {}
const med = (a: number[]) => a.sort((x, y) => x - y)[a.length >> 1]
for (const r of rows) {
  const all = [...specs, ...(r.tools ?? []).map((t: unknown) => foreignSpec(foreignTool.parse(t)))]
  const names = new Set(r.prompt.slice(7).split('\n').map((l: string) => /^([\w.-]+)\(/.exec(l)?.[1]))
  const tools = all.filter(s => names.has(s.name))
  const t = performance.now(); let first = 0, raw = ''
  try {
    const g = p.plan({request: r.query, instructions: r.instructions, now: new Date(), tools, signal: AbortSignal.timeout(60000)})
    for (;;) {
      const n = await g.next()
      if (n.done) {
        const e = performance.now() - t; plans.push(e); ms += e; if (first) firsts.push(first)
        pt += n.value.promptTokens; gt += n.value.generatedTokens
        for (const x of n.value.repairs) rep[x] = (rep[x] ?? 0) + 1
        const out = printPlan(n.value.plan), want = printPlan(parsePlan(r.plan))
        const sk = (s: string) => s.split('\n').map(l => l.replace(/"(?:[^"\\]|\\.)*"/g, m => /^"\$\d+"$/.test(m) ? m : '"x"')).join('\n')
        if (out === want) ok++; else if (sk(out) === sk(want)) shape++; else console.log('-- Q:', r.query, r.instructions ? `[${r.instructions}]` : '', '\n' + out, n.value.repairs.length ? '\nRAW ' + raw : '', '\nWANT', want)
        break
      }
      if ('task' in n.value && !first) first = performance.now() - t
      if ('delta' in n.value) raw += n.value.delta
    }
  } catch (e) { err++; console.log('-- Q:', r.query, '\n' + raw, '\nERR', String(e), '\nWANT', r.plan) }
}
console.log({rows: rows.length, exact: ok, sameShape: shape, err, rep, first: med(firsts), plan: med(plans), prompt: pt / rows.length, gen: gt / rows.length, tps: gt / ms * 1000})
await p.close()

// Runs SQL in DuckDB: {threads, database, steps: [{name, sql, rounds}]} on stdin; prints {name: {s: [...], cpu: [...], rows: [[...]]}}.
// DuckDB is where make bench installs it: node_modules of the folder it is started in.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
const { DuckDBInstance } = createRequire(process.cwd() + '/x.js')('@duckdb/node-api')
const job = JSON.parse(readFileSync(0))
const db = await DuckDBInstance.create(job.database, { threads: String(job.threads) })
const c = await db.connect()
const out = {}
for (const step of job.steps) {
  const r = (out[step.name] = { s: [], cpu: [], rows: [] })
  for (let i = 0; i < (step.rounds ?? 1); i++) {
    const t = process.hrtime.bigint(), u = process.cpuUsage()
    r.rows = []
    for (const sql of [step.sql].flat()) r.rows.push(...(await (await c.run(sql)).getRows()).map(x => x.map(y => (typeof y === 'bigint' ? Number(y) : y))))
    const v = process.cpuUsage(u)
    r.s.push(Number(process.hrtime.bigint() - t) / 1e9)
    r.cpu.push((v.user + v.system) / 1e6)
  }
}
console.log(JSON.stringify(out))

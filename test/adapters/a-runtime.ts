import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ActionRuntime, SQLiteEngine, type GateContext } from '../../src/index.ts'

/** A runtime with a log of its own, and who calls. */
export interface TestGate {
  readonly context: GateContext & { readonly runtime: ActionRuntime }
  /** How the calls ended that were let through, in the order of the log. */
  readonly outcomes: () => Promise<readonly unknown[]>
  /** The decisions, in the order of the log. */
  readonly decisions: () => Promise<readonly unknown[]>
}

const policy = `version: 1
deny:
  - { id: no-root, capability: app.delete, args: { /path: { under: / } } }
require_approval:
  - { id: large, capability: app.pay, amount_gt: 100 }
allow:
  - app.delete
  - app.pay
  - { capability: app.read, only_args: [/path] }
  - { capability: app.search, args: { /input: shoes } }
`

export function testGate(): TestGate {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-adapters-'))
  writeFileSync(join(folder, 'policy.yaml'), policy)
  const store = SQLiteEngine.open({ path: join(folder, 'log.db'), software: 'capfence/test' })
  const runtime = ActionRuntime.fromPolicy(join(folder, 'policy.yaml'), { store })
  onTestFinished(async () => {
    await runtime.close()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const ofType = async (type: string, field: string): Promise<readonly unknown[]> => {
    await runtime.flush()
    const records = await store.records(0, 1000)
    return records.filter((one) => one.type === type).map(({ data }) => data[field])
  }
  return {
    context: { runtime, actor: 'agent', environment: 'test', server: 'app', session: 's1' },
    outcomes: () => ofType('outcome', 'status'),
    decisions: () => ofType('decision', 'decision'),
  }
}

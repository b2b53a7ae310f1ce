import type { AuditConfig, Config } from '../config/config.ts'
import { systemRandom } from '../crypto/random.ts'
import type { CapFenceError } from '../errors.ts'
import { ulid, uuidV7 } from '../crypto/ids.ts'
import { Bindings } from '../event/binding.ts'
import type { CallGate } from '../proxy/context.ts'
import { RuntimeGate } from '../proxy/runtime-gate.ts'
import type { ConfigChangeFacts } from '../audit/drafts.ts'
import { ActionRuntime } from '../runtime/action-runtime.ts'
import { recordConfiguration } from '../runtime/configuration.ts'
import { RefusalLog } from '../runtime/refusals.ts'
import type { GoverningPolicy } from '../runtime/policy.ts'
import type { Store } from '../runtime/store.ts'
import { ToolDefinitionLog } from '../runtime/tool-definitions.ts'
import { SQLiteEngine } from '../storage/sqlite-engine.ts'
import { readAuthority } from './authority.ts'
import { disksOf } from './ask-disk.ts'
import type { Schedule } from './anchor-schedule.ts'
import type { LiveLock } from './live-lock.ts'
import { openPostgres } from './open-postgres.ts'
import { writablePlace } from './places.ts'
import { loadGoverningPolicy } from './policy-files.ts'
import { receiptsOf } from './receipts.ts'
import { startFacts, watchConfiguration } from './watch.ts'
import { approversFacts } from './watch-approvers.ts'
import { version } from './version.ts'

/** A gate with its log open. */
export interface OpenGate {
  /** For one client: each session has an id of its own in the log. */
  readonly gateFor: (actor: string) => CallGate
  /** Writes what is still owed to the log and closes it. */
  close(): Promise<void>
}

/**
 * Loads the policy, opens the log and watches the files for changes.
 *
 * @throws CapFenceError `POLICY_INVALID`, `POLICY_NOT_FOUND`, `AUDIT_UNAVAILABLE`, `AUDIT_CORRUPT`
 */
export async function openGate(
  config: Config,
  lock: LiveLock,
  log: (text: string) => void,
): Promise<OpenGate> {
  const policy = await loadGoverningPolicy(config.policies, config.folder)
  const schedule = await readSchedule(config)
  const store = await openStore(config, (error) => log(failureText(error)))
  const runtime = newRuntime(config, store, policy, log)
  const { durability } = config.audit
  const record = (facts: ConfigChangeFacts): Promise<void> =>
    recordConfiguration(store, facts, durability)
  // All at once share one transaction.
  const facts = [startFacts(config), approversFacts(config), lock.startFacts].filter(
    (one) => one !== undefined,
  )
  await Promise.all([runtime.start(), ...facts.map(record)])
  if (!lock.isActive) {
    log('no definition of a tool is pinned; `capfence lock` pins what the servers say now')
  }
  const watch = watchConfiguration(config, { runtime, lock, record, log })
  const anchors = schedule?.({ store, log })
  const definitions = new ToolDefinitionLog({
    store,
    now: () => performance.now(),
    onFailure: (error) => log(failureText(error)),
  })
  return {
    gateFor: newGates(config, { store, runtime, definitions, lock, log }),
    close: async () => {
      watch.close()
      await anchors?.close()
      await definitions.idle()
      await settled(runtime.flush(), log)
      await settled(store.close(), log)
    },
  }
}

/** The embedded engine is loaded with the gate, because most have it; the other one only where it is asked for. */
async function openStore(config: Config, onDamage: (error: CapFenceError) => void): Promise<Store> {
  const place = writablePlace(config)
  const options = {
    software: `capfence/${version}`,
    rotateHours: config.audit.rotateHours,
    checkEveryMs: config.audit.verifyEveryMinutes * 60_000,
    onDamage,
  }
  const { path, keys, highWater, postgres } = place
  if (postgres !== undefined) return openPostgres({ ...place, postgres }, options)
  return SQLiteEngine.open({ path, keys, highWater, ...options })
}

/** Most gates have no anchors, and load nothing for them. */
async function readSchedule(config: Config): Promise<Schedule | undefined> {
  if (config.audit.anchors.length === 0) return undefined
  const { anchorSchedule } = await import('./anchor-schedule.ts')
  return anchorSchedule(config)
}

const draws = {
  bytes: systemRandom,
  uuid: (nowMs: number) => uuidV7(nowMs, systemRandom),
  ulid: (nowMs: number) => ulid(nowMs, systemRandom),
}

function newRuntime(
  config: Config,
  store: Store,
  policy: GoverningPolicy,
  log: (text: string) => void,
): ActionRuntime {
  const { path, keys } = writablePlace(config)
  const place = { path, keys }
  return new ActionRuntime({
    policy,
    store,
    draws,
    clock: () => Date.now(),
    mode: config.mode,
    durability: decisionDurability(config.audit),
    disclosure: config.audit.mode,
    approvalTimeoutMs: config.approvals.timeoutSeconds * 1000,
    authority: () => readAuthority(config.approvals, place),
    // Whoever has approvers means them to approve.
    approvalPresence: config.approvals.approvers === undefined ? 'any' : 'key',
    onFailure: (error) => log(failureText(error)),
  })
}

/** What a receipt promises, a power cut must not take back. */
function decisionDurability({ receipts, durability }: AuditConfig): AuditConfig['durability'] {
  return receipts ? 'power' : durability
}

interface GateParts {
  readonly store: Store
  readonly runtime: ActionRuntime
  readonly definitions: ToolDefinitionLog
  readonly lock: LiveLock
  readonly log: (text: string) => void
}

/** What all sessions share is made once: whoever begins many sessions is not recorded more for it. */
function newGates(
  config: Config,
  { store, runtime, definitions, lock, log }: GateParts,
): OpenGate['gateFor'] {
  const parts = {
    runtime,
    bindings: new Bindings(config.servers.map(({ name, binding }) => [name, binding])),
    definitions,
    pins: lock,
    refusals: new RefusalLog({
      store,
      draws,
      now: () => performance.now(),
      onFailure: (error) => log(failureText(error)),
    }),
    disks: disksOf(config),
    receipts: config.audit.receipts ? receiptsOf(store, log) : undefined,
    log,
  }
  const { environment } = config
  return (actor) =>
    new RuntimeGate({
      ...parts,
      identity: { actor, environment, session: draws.ulid(Date.now()) },
    })
}

/** At the end there is nobody left to answer; what could not be written is said. */
async function settled(work: Promise<void>, log: (text: string) => void): Promise<void> {
  try {
    await work
  } catch (error) {
    log(failureText(error))
  }
}

function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const hint = 'hint' in error && typeof error.hint === 'string' ? ` (${error.hint})` : ''
  return `${error.message}${hint}`
}

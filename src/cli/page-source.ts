import type { EntriesQuery, News, PageAnswer, PageSignature } from '../dashboard/source.ts'
import type { PageSource, PageStatement } from '../dashboard/source.ts'
import type { StoredRecord } from '../audit/record.ts'
import { CapFenceError } from '../errors.ts'
import type { LogQuery, LogReader } from '../runtime/store.ts'
import type { ExitCode, Io } from './io.ts'
import { LogDoor } from './log-door.ts'
import { logLine, outcomeLine } from './log-lines.ts'
import { type LogEntry, outcomeEntry } from './log-entry.ts'
import { LogFacts } from './page-facts.ts'
import { overviewJson } from './page-overview.ts'
import { pageText } from './page-text.ts'
import type { OpenLog, OpenStore, PlaceFlags } from './places.ts'
import { mayExist } from './storage-kind.ts'
import { configAndPlace, storageOf, withLog, withStore } from './places.ts'
import { entriesOf } from './read-log.ts'
import { isObject, numberOrNull, textOf } from './record-fields.ts'

/** How the page finds the log, and what opens it. */
export interface SourceParts {
  readonly flags: PlaceFlags & { readonly pin?: string | undefined }
  readonly io: Io
  readonly openLog: OpenLog
  readonly openStore: OpenStore
}

/** Records that one question for entries looks at, count; the page asks on. */
const maxLooked = 5000
/** Entries that one look for news hands over, count. */
const maxNews = 500

/** The page's questions answered by the commands of the terminal. */
export class CommandSource implements PageSource {
  readonly #parts: SourceParts
  readonly #door: LogDoor
  readonly #facts = new LogFacts()

  constructor(parts: SourceParts) {
    this.#parts = parts
    this.#door = new LogDoor(parts.openLog)
  }

  /** A log that no gate has made yet has no records; everything else about it is an error that says so. */
  async size(): Promise<number> {
    if (!mayExist(storageOf(this.#place))) return 0
    return this.#withLog((reader) => reader.size())
  }

  overview(hours: number): Promise<string> {
    return this.#withLog(async (reader) => {
      const facts = await this.#facts.look(reader)
      const { hasOlder } = this.#facts
      return overviewJson({ facts, hasOlder, hours, nowMs: this.#parts.io.nowMs() })
    })
  }

  entries(query: EntriesQuery): Promise<string> {
    return this.#withLog(async (reader) => {
      const { records, next, size } = await newestOf(reader, query)
      const lines = (await entriesOf(reader, records)).map(entryText)
      return `{"entries":[${lines.join(',')}],"next":${String(next)},"size":${String(size)}}`
    })
  }

  since(from: number): Promise<News> {
    return this.#withLog(async (reader) => {
      const records = await reader.records(from, maxNews)
      const shown = records.filter(({ type }) => isEntry(type))
      const entries = await entriesOf(reader, shown)
      return {
        entries: entries.map(entryText),
        outcomes: records.filter(({ type }) => type === 'outcome').map(outcomeText),
        approvals: records.some(({ type }) => type.startsWith('approval.')),
        grants: records.some(({ type }) => type.startsWith('grant.')),
        size: from + records.length,
      }
    })
  }

  async receipt(which: string, showSecrets: boolean): Promise<string> {
    const { auditShow } = await import('./audit-show.ts')
    const flags = { ...this.#place, showSecrets, json: true }
    return pageText(await this.#printed((io) => auditShow(which, flags, io, this.#door.open)))
  }

  async approvals(all: boolean): Promise<string> {
    const { pageApprovals } = await import('./page-approvals.ts')
    return this.#withLog((reader) => pageApprovals(reader, all, this.#parts.io.nowMs()))
  }

  async approval(id: string, showSecrets: boolean): Promise<string> {
    const { pageApproval } = await import('./page-approvals.ts')
    const options = { nowMs: this.#parts.io.nowMs(), showSecrets }
    return this.#withLog((reader) => pageApproval(reader, id, options))
  }

  async answer(id: string, { verdict, minutes, session }: PageAnswer): Promise<string> {
    const { approvalsAnswer } = await import('./approval-answer.ts')
    const flags = {
      ...this.#place,
      json: true,
      ...(minutes === undefined ? {} : { minutes: String(minutes) }),
      ...(session ? { session } : {}),
    }
    return this.#printed((io) => approvalsAnswer(verdict, id, flags, io, this.#parts.openStore))
  }

  async approvers(): Promise<string> {
    const { pageApprovers } = await import('./page-passkeys.ts')
    const where = await configAndPlace(this.#place, this.#quiet())
    return this.#withLog(async () => pageApprovers(where))
  }

  async statement(id: string, wanted: PageStatement): Promise<string> {
    const { passkeyStatement } = await import('./page-passkeys.ts')
    const where = await configAndPlace(this.#place, this.#quiet())
    const nowMs = this.#parts.io.nowMs()
    return this.#withLog((reader) => passkeyStatement(reader, id, wanted, { ...where, nowMs }))
  }

  async answerSigned(id: string, signature: PageSignature): Promise<string> {
    const { recordSigned } = await import('./page-passkeys.ts')
    const where = await configAndPlace(this.#place, this.#quiet())
    return withStore(where.place, this.#parts.openStore, (store) =>
      recordSigned(store, id, signature, where),
    )
  }

  async grants(): Promise<string> {
    const { grantsList } = await import('./grants.ts')
    const flags = { ...this.#place, all: true, json: true }
    const { pageGrants } = await import('./page-grants.ts')
    return pageGrants(await this.#printed((io) => grantsList(flags, io, this.#door.open)))
  }

  async revokeGrant(id: string): Promise<string> {
    const { grantsRevoke } = await import('./grants.ts')
    const flags = { ...this.#place, json: true }
    return this.#printed((io) => grantsRevoke(id, flags, io, this.#parts.openStore))
  }

  async budgets(): Promise<string> {
    const { budgets } = await import('./budgets.ts')
    const flags = { ...this.#place, json: true }
    return listOfLines(await this.#printed((io) => budgets(flags, io, this.#door.open)))
  }

  async rules(): Promise<string> {
    const { pageRules } = await import('./page-rules.ts')
    const facts = await this.#withLog((reader) => this.#facts.look(reader))
    return pageRules(this.#place, facts, this.#facts.hasOlder)
  }

  health(): Promise<string> {
    const { path, postgres } = storageOf(this.#place)
    return this.#withLog(async (reader) => {
      const { pageHealth } = await import('./page-health.ts')
      return pageHealth(reader, postgres === undefined ? path : undefined)
    })
  }

  async verify(): Promise<string> {
    const { auditVerify } = await import('./audit-verify.ts')
    const { pin } = this.#parts.flags
    const trust = pin === undefined ? { trustLog: true } : { pin }
    const flags = { ...this.#place, ...trust, json: true }
    // Every verdict is an answer, whatever its exit code says.
    return this.#printed((io) => auditVerify(undefined, flags, io), 'any')
  }

  /** Closes the log. */
  close(): Promise<void> {
    return this.#door.close()
  }

  get #place(): PlaceFlags {
    const { config, storage } = this.#parts.flags
    return { config, storage }
  }

  #withLog<T>(use: (reader: LogReader) => Promise<T>): Promise<T> {
    return withLog(this.#place, this.#door.open, use)
  }

  /** What a command prints as its answer; what it says besides is for a terminal. */
  async #printed(
    command: (io: Io) => Promise<ExitCode>,
    wanted: 'yes' | 'any' = 'yes',
  ): Promise<string> {
    let text = ''
    const code = await command(
      this.#quiet((part) => {
        text += part
      }),
    )
    if (code !== 0 && wanted === 'yes') {
      throw new CapFenceError('AUDIT_UNAVAILABLE', 'the command did not answer')
    }
    return text.trimEnd()
  }

  /** What a command has in place of a terminal. */
  #quiet(onOutput: (part: string) => void = () => undefined): Io {
    const quiet = { isTerminal: false, columns: undefined, hasColour: false }
    return {
      ...this.#parts.io,
      out: { ...quiet, write: async (part) => onOutput(part) },
      err: { ...quiet, write: async () => undefined },
      secrets: { fromTerminal: noSecret, fromInput: noSecret },
      stopped: new AbortController().signal,
    }
  }
}

/** A passphrase is for a terminal: it is never typed into a page. */
async function noSecret(): Promise<never> {
  throw new CapFenceError('APPROVAL_REFUSED', 'its rule asks for an approver’s key', {
    hint: 'approve it in a terminal, where the passphrase is typed',
  })
}

function listOfLines(lines: string): string {
  return `[${lines
    .split('\n')
    .filter((line) => line !== '')
    .join(',')}]`
}

const entryTypes = ['decision', 'refusal', 'policy.load', 'config.change', 'tool.def'] as const

function isEntry(type: string): boolean {
  return entryTypes.some((one) => one === type)
}

function entryText(entry: LogEntry): string {
  return pageText(logLine(entry))
}

function outcomeText(record: StoredRecord): string {
  const decisionSeq = numberOrNull(record.data, 'decision_seq') ?? -1
  return outcomeLine(textOf(record.data, 'call'), decisionSeq, outcomeEntry(record)).trimEnd()
}

interface Newest {
  readonly records: readonly StoredRecord[]
  /** The `before` of the next question; null when the log has no more. */
  readonly next: number | null
  readonly size: number
}

async function newestOf(reader: LogReader, query: EntriesQuery): Promise<Newest> {
  const { before, count, decision, search } = query
  const wanted: Pick<LogQuery, 'types' | 'decision'> =
    decision === undefined
      ? { types: entryTypes }
      : decision === 'refused'
        ? { types: ['refusal'] }
        : { types: ['decision'], ...(isEffect(decision) ? { decision } : {}) }
  const size = await reader.size()
  const found: StoredRecord[] = []
  let from: number | null = (before ?? size) - 1
  const end = Math.max(0, from - maxLooked)
  while (from !== null && from >= end && found.length < count) {
    const page: Awaited<ReturnType<LogReader['find']>> =
      // oxlint-disable-next-line no-await-in-loop -- each page begins where the one before it ended
      await reader.find({ ...wanted, order: 'newest', from, count: count - found.length })
    found.push(...page.records.filter((record) => holds(record, search)))
    from = page.next
  }
  const last = found.length >= count ? found.at(-1)?.seq : undefined
  return { records: found, next: last ?? (from === null ? null : from + 1), size }
}

function isEffect(decision: string): decision is 'allow' | 'require_approval' | 'deny' {
  return decision === 'allow' || decision === 'require_approval' || decision === 'deny'
}

const searched = [
  ...['tool', 'server', 'actor', 'capability', 'client', 'session', 'call', 'approval'],
  ...['reason', 'environment', 'path'],
] as const

/** Whether a record has a text somewhere where a person would look for it; arguments are not looked into. */
function holds({ data }: StoredRecord, search: string | undefined): boolean {
  if (search === undefined) return true
  const text = search.toLowerCase()
  const rules = Array.isArray(data['rule']) ? data['rule'].filter(isObject) : []
  const values = [...searched.map((name) => data[name]), ...rules.map((rule) => rule['id'])]
  return values.some((value) => typeof value === 'string' && value.toLowerCase().includes(text))
}

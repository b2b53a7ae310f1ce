import { Sha256 } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import { ActionEvent } from '../event/action-event.ts'
import type { RiskLevel } from '../event/capability.ts'
import { isRiskLevel } from '../event/capability.ts'
import { nearestName } from '../event/nearest.ts'
import { Decimal } from '../json/decimal.ts'
import { excerpt } from '../json/json-error.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { isJsonObject } from '../json/value.ts'
import type { Effect } from '../policy/answer.ts'
import { badLine } from './line-fields.ts'
import { nothingMissing } from './missing.ts'
import { pythonJson } from './python-json.ts'
import type { TraceCall, TraceEntry, TraceVerdict } from './trace.ts'
import type { LineReader } from './trace-reader.ts'
import { writtenTime } from './written-time.ts'

const versionField = 'capfence_replay_version'

/** Whether a trace of the original CapFence begins with this. */
export function isOriginalHeader(first: JsonObject): boolean {
  return first[versionField] !== undefined
}

/**
 * Reads a trace of the original CapFence (0.9): a header with its version, then one event in each line.
 *
 * What that one filled in where a field was missing is not guessed here: an event names its actor, action and resource,
 * and a risk that it gave as a number is none that is known.
 */
export class OriginalLines implements LineReader {
  /** Of the events as Python prints their list; undefined while the header is not read, or has no checksum. */
  #sha256: Sha256 | undefined
  #checksum = ''
  #begun = false
  #events = 0

  entries(object: JsonObject, line: number): readonly TraceEntry[] {
    if (!this.#begun) return [this.#header(object)]
    this.#sha256?.update((this.#events === 0 ? '[' : ', ') + pythonJson(object))
    this.#events += 1
    return [callOf(object, line)]
  }

  end(): void {
    if (this.#events === 0) throw new CapFenceError('TRACE_INVALID', 'the trace has no events')
    this.#sha256?.update(']')
    const made = this.#sha256?.hex().slice(0, this.#checksum.length)
    if (made === undefined || made === this.#checksum) return
    throw new CapFenceError(
      'TRACE_INVALID',
      `the trace is not what its checksum was made of: that is ${made} now`,
      { hint: 'it was changed since it was written' },
    )
  }

  #header(object: JsonObject): TraceEntry {
    this.#begun = true
    const version = object[versionField]
    if (version !== '1.0') {
      throw badLine(`\`${versionField}\` is ${said(version)}; expected "1.0"`)
    }
    const checksum = object['checksum'] ?? null
    const hasChecksum = checksum !== null && !openChecksums.some((one) => one === checksum)
    if (hasChecksum) {
      if (typeof checksum !== 'string' || !/^[0-9a-f]{8}$/.test(checksum)) {
        throw badLine(`\`checksum\` is ${said(checksum)}; expected 8 hex digits, or \`ignore\``)
      }
      this.#checksum = checksum
      this.#sha256 = new Sha256()
    }
    return {
      kind: 'header',
      source: 'original',
      log: null,
      // The original replayed a trace from nothing.
      isComplete: true,
      policies: [],
      calls: null,
      hasChecksum,
    }
  }
}

/** What stands in the place of a checksum where there is none. */
const openChecksums = ['', 'ignore', 'auto']

/** What stands in `metadata` of an event, or beside the other fields of it. */
const metadataFields = [
  'session_id',
  'scope',
  'payload',
  'require_approval',
  'risk_category',
  'payload_hash',
  'threshold',
  'latency_ms',
  'decision',
  'original_decision',
  'reason',
  'timestamp',
  'entry_hash',
  'signature',
  'policy_decision',
  'verdict',
  'id',
  'caller_depth',
] as const

const knownFields: ReadonlySet<string> = new Set([
  'actor',
  'agent_id',
  'action',
  'tool_name',
  'resource',
  'environment',
  'risk',
  'risk_score',
  'metadata',
  ...metadataFields,
])
const knownMetadata: ReadonlySet<string> = new Set(metadataFields)

function callOf(object: JsonObject, line: number): TraceCall {
  refuseUnknown(object, knownFields, '')
  const metadata = object['metadata'] ?? noMetadata
  if (!isJsonObject(metadata)) throw badLine('`metadata` is no object')
  refuseUnknown(metadata, knownMetadata, 'metadata.')
  const beside = (name: string): JsonValue | undefined => metadata[name] ?? object[name]
  const payload = beside('payload') ?? null
  if (payload !== null && !isJsonObject(payload)) throw badLine('`payload` is no object')
  const risk = riskOf(object['risk'] ?? object['risk_score'] ?? null)
  const event = ActionEvent.create({
    actor: oneText(object, ['actor', 'agent_id']),
    action: oneText(object, ['action', 'tool_name']),
    resource: oneText({ ...metadata, ...object }, ['resource', 'risk_category']),
    scope: textAt(beside('scope'), 'scope'),
    environment: textAt(object['environment'], 'environment'),
    risk,
    session: textAt(beside('session_id'), 'session_id'),
    arguments: payload ?? undefined,
  })
  return {
    kind: 'call',
    line,
    seq: line,
    atMs: writtenTime(beside('timestamp'), 'timestamp'),
    event,
    missing: nothingMissing,
    told: undefined,
    definitionHash: null,
    verdict: verdictOf(beside('decision') ?? beside('original_decision') ?? null),
    isFlagged: false,
  }
}

const noMetadata: JsonObject = Object.freeze({ __proto__: null })

function refuseUnknown(object: JsonObject, known: ReadonlySet<string>, at: string): void {
  const unknown = Object.keys(object).find((name) => !known.has(name))
  if (unknown === undefined) return
  const near = nearestName(unknown, known)
  throw badLine(
    `unknown field ${excerpt(at + unknown)}`,
    near === undefined ? undefined : `did you mean \`${near}\`?`,
  )
}

function oneText(object: JsonObject, names: readonly [string, string]): string {
  const [name] = names
  const text = textAt(object[name] ?? object[names[1]], name)
  if (text !== undefined) return text
  throw badLine(`\`${name}\` is missing`, `every event names its ${name}`)
}

function textAt(value: JsonValue | undefined, name: string): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  throw badLine(`\`${name}\` is ${said(value)}; expected text`)
}

/** The words that the original took for one of the four levels. */
const otherRisks: ReadonlyMap<string, RiskLevel> = new Map([
  ['command_execution', 'critical'],
  ['execute', 'critical'],
  ['payment_initiation', 'high'],
  ['delete', 'high'],
  ['write', 'medium'],
  ['read_only', 'low'],
  ['read', 'low'],
])

function riskOf(value: JsonValue): RiskLevel | undefined {
  // What a score means is not known here, so that the risk may be any.
  if (value === null || value instanceof Decimal) return undefined
  const word = typeof value === 'string' ? value.toLowerCase() : ''
  const risk = isRiskLevel(word) ? word : otherRisks.get(word)
  if (risk !== undefined) return risk
  throw badLine(
    `\`risk\` is ${said(value)}; expected \`low\`, \`medium\`, \`high\` or \`critical\``,
  )
}

const decisionWords: ReadonlyMap<string, Effect> = new Map([
  ['pass', 'allow'],
  ['allow', 'allow'],
  ['allowed', 'allow'],
  ['authorized', 'allow'],
  ['require_approval', 'require_approval'],
  ['fail', 'deny'],
  ['deny', 'deny'],
  ['denied', 'deny'],
  ['block', 'deny'],
  ['blocked', 'deny'],
])

function verdictOf(value: JsonValue): TraceVerdict | undefined {
  if (value === null) return undefined
  const decision = typeof value === 'string' ? decisionWords.get(value.toLowerCase()) : undefined
  if (decision === undefined) {
    throw badLine(
      `\`decision\` is ${said(value)}; expected \`allow\`, \`deny\` or \`require_approval\``,
    )
  }
  return {
    decision,
    // Its reasons are words of its own, and name no rule.
    reason: null,
    rules: [],
    omittedRules: 0,
    policyHash: null,
    forwarded: null,
    mode: 'enforce',
    approval: null,
    grant: null,
  }
}

function said(value: JsonValue | undefined): string {
  if (typeof value === 'string') return excerpt(value)
  if (value instanceof Decimal) return excerpt(value.text).slice(1, -1)
  return value === undefined || typeof value === 'object' ? 'of another type' : String(value)
}

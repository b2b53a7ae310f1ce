import { CapFenceError } from '../errors.ts'
import {
  count,
  flag,
  listOf,
  nullable,
  object,
  oneOf,
  optional,
  origin,
  sha256Base64url,
  sha256Hex,
  shape,
  shapeComplaint,
  isObject,
  text,
  ulid,
} from './fields.ts'
import type { VerifierState } from './log-verifier.ts'
import { parseVerifierKey, printVerifierKey } from './note.ts'
import { parsePin, printPin } from './pin.ts'
import type { RecordValue } from './record.ts'
import { isTreeHead } from './tree.ts'

const format = 'capfence-verified/1'

const stateShape = shape({
  /** Absent when it is not. */
  archived: optional(flag),
  checkpoints: count,
  closed: nullable(object({ key: text, size: count })),
  current: text,
  epoch: count,
  format: oneOf(format),
  frontier: listOf(sha256Hex),
  gaps: count,
  log: origin,
  missing: listOf(object({ digests: listOf(sha256Base64url), seq: count })),
  open: listOf(object({ call: text, seq: count, unknown: flag })),
  pin: text,
  prev: sha256Hex,
  recoveries: count,
  redacted: count,
  signed_from: count,
  size: count,
  ts: text,
  unrecorded: count,
  writers: listOf(object({ next: count, stopped: flag, w: ulid })),
})

/** The same as TypeScript sees it, once it has been compared with the shape. */
interface StateFile {
  readonly archived?: boolean
  readonly checkpoints: number
  readonly closed: { readonly key: string; readonly size: number } | null
  readonly current: string
  readonly epoch: number
  readonly format: string
  readonly frontier: readonly string[]
  readonly gaps: number
  readonly log: string
  readonly missing: readonly { readonly digests: readonly string[]; readonly seq: number }[]
  readonly open: readonly {
    readonly call: string
    readonly seq: number
    readonly unknown: boolean
  }[]
  readonly pin: string
  readonly prev: string
  readonly recoveries: number
  readonly redacted: number
  readonly signed_from: number
  readonly size: number
  readonly ts: string
  readonly unrecorded: number
  readonly writers: readonly {
    readonly next: number
    readonly stopped: boolean
    readonly w: string
  }[]
}

/** Where a verification ended, as text for a file. */
export function printVerifierState({ chain, keys, ...rest }: VerifierState): string {
  const { closed, current, epoch, pin, signedFrom } = keys
  const file: StateFile = {
    format,
    size: chain.tree.size,
    frontier: chain.tree.frontier,
    prev: chain.prev,
    log: chain.log,
    ts: chain.ts,
    writers: chain.writers,
    open: chain.open,
    ...(chain.isArchived ? { archived: true } : {}),
    pin: printPin(pin),
    epoch,
    current: printVerifierKey(current),
    signed_from: signedFrom,
    closed: closed === undefined ? null : { key: printVerifierKey(closed.key), size: closed.size },
    missing: rest.missing.map(([seq, digests]) => ({ seq, digests })),
    redacted: rest.redacted,
    checkpoints: rest.checkpoints,
    ...rest.unknown,
  }
  return `${JSON.stringify(file)}\n`
}

/**
 * Reads such a text. It is believed: whoever can change it can hide a change of the log.
 *
 * @throws CapFenceError `JSON_INVALID` for anything else, `NOTE_INVALID` when a key in it cannot be read
 */
export function parseVerifierState(json: string): VerifierState {
  const file = parseFile(json)
  const { closed, gaps, recoveries, redacted, checkpoints, unrecorded, size, frontier } = file
  const tree = { size, frontier }
  if (!isTreeHead(tree)) throw invalid('its tree is not one')
  return {
    chain: {
      tree,
      prev: file.prev,
      log: file.log,
      ts: file.ts,
      writers: file.writers,
      open: file.open,
      isArchived: file.archived ?? false,
    },
    keys: {
      pin: parsePin(file.pin),
      epoch: file.epoch,
      current: parseVerifierKey(file.current),
      signedFrom: file.signed_from,
      closed:
        closed === null ? undefined : { key: parseVerifierKey(closed.key), size: closed.size },
    },
    missing: file.missing.map(({ seq, digests }) => [seq, digests] as const),
    redacted,
    unknown: { gaps, recoveries, unrecorded },
    checkpoints,
  }
}

function parseFile(json: string): StateFile {
  let value: RecordValue
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON.parse makes nothing but JSON values
    value = JSON.parse(json) as RecordValue
  } catch {
    throw invalid('not JSON')
  }
  const complaint = isObject(value) ? shapeComplaint(value, stateShape) : 'not an object'
  if (complaint !== undefined) throw invalid(complaint)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was compared with the shape
  return value as unknown as StateFile
}

function invalid(what: string): CapFenceError {
  return new CapFenceError(
    'JSON_INVALID',
    `not a file in which \`audit verify\` noted how far it came: ${what}`,
    { hint: 'remove the file, and the whole log is verified' },
  )
}

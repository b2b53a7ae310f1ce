import type { Checkpoint } from '../audit/checkpoint.ts'
import { cosignedAt, type CosignerKey } from '../audit/cosignature.ts'
import { parseNote, parseSignatures, printSignature, type NoteSignature } from '../audit/note.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { addCheckpointPath, parseSize, printAddCheckpoint, sizeType } from './add-checkpoint.ts'

/** A witness of this log, as it was pinned. */
export interface PinnedWitness {
  /** http or https, without a slash at its end. */
  readonly url: string
  readonly key: CosignerKey
}

/** The newest signed checkpoint of a log, and how it grew. */
export interface SignedHead extends Checkpoint {
  readonly note: string
  /**
   * That the log has only grown since it had `fromSize` records, hex.
   *
   * @param fromSize 1 to `size`
   */
  proveFrom(fromSize: number): Promise<readonly string[]>
}

/** A checkpoint that a witness has cosigned. */
export interface Cosigned {
  /** The signed checkpoint with the line of the witness. */
  readonly note: string
  readonly size: number
  readonly timeSeconds: number
}

/** What is needed to ask a witness. */
export interface Asking {
  /** Read again when the witness knows a longer log: another gate may have been faster. */
  readonly head: () => Promise<SignedHead>
  /** What the witness is thought to have cosigned last; 0 when nothing is known. */
  readonly knownSize: number
  readonly nowMs: () => number
  readonly timeoutMs: number
  /** Ends it before. */
  readonly stopped: AbortSignal
}

/** Requests for one cosignature, count: what is known is wrong, and then another gate is faster. */
const maxAttempts = 3
/** How far the clocks of a log and its witness may differ, seconds. */
const maxSkewSeconds = 600

/**
 * Asks a witness to cosign the newest checkpoint of a log.
 *
 * Nothing that comes back is believed but a cosignature of the pinned key over this checkpoint, made now.
 *
 * @throws CapFenceError `ANCHOR_FAILED` when there is none, and why: also when the witness says that the log was once
 *   longer, or another one
 */
export async function askWitness(witness: PinnedWitness, asking: Asking): Promise<Cosigned> {
  let said: number | undefined
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each attempt follows from the answer to the one before it
    const head = await asking.head()
    if (said !== undefined && said > head.size) throw rolledBack(witness, head, said)
    const known = said ?? asking.knownSize
    // From a size beyond the log nothing can be proved; asked from nothing, the witness names its size.
    const oldSize = known > head.size ? 0 : known
    // oxlint-disable-next-line no-await-in-loop -- each attempt follows from the answer to the one before it
    const answer = await submit(witness, { head, oldSize }, asking)
    if (typeof answer !== 'number') return answer
    if (answer === oldSize) throw contradiction(witness, head, oldSize)
    said = answer
  }
  throw failed(witness, 'names another size each time that it is asked')
}

interface Step {
  readonly head: SignedHead
  readonly oldSize: number
}

/** @returns what was cosigned, or the size that the witness says it has seen */
async function submit(
  witness: PinnedWitness,
  { head, oldSize }: Step,
  { nowMs, timeoutMs, stopped }: Asking,
): Promise<Cosigned | number> {
  const proof = oldSize === 0 ? [] : await head.proveFrom(oldSize)
  const body = printAddCheckpoint({ oldSize, proof, note: head.note })
  const sentSeconds = Math.floor(nowMs() / 1000)
  const { status, type, text } = await post(
    witness,
    body,
    AbortSignal.any([AbortSignal.timeout(timeoutMs), stopped]),
  )
  if (status === 409 && type === sizeType) return sizeOf(witness, text)
  if (status !== 200) throw failed(witness, `answered ${status}: ${firstLineOf(text)}`)
  return cosignedHead(witness, head, { text, sentSeconds, nowSeconds: Math.ceil(nowMs() / 1000) })
}

interface Answered {
  readonly text: string
  readonly sentSeconds: number
  readonly nowSeconds: number
}

function cosignedHead(
  witness: PinnedWitness,
  head: SignedHead,
  { text, sentSeconds, nowSeconds }: Answered,
): Cosigned {
  const { name, id } = witness.key
  const own = signaturesIn(witness, text).filter((one) => one.name === name && one.id === id)
  const note = `${head.note}${own.map(printSignature).join('')}`
  const timeSeconds = cosignedAt(parseNote(note), witness.key)
  if (timeSeconds === undefined) {
    throw failed(witness, 'did not cosign this checkpoint with the key that is pinned')
  }
  // A cosignature of another time says nothing about now; it may have been kept by somebody between.
  if (timeSeconds < sentSeconds - maxSkewSeconds || timeSeconds > nowSeconds + maxSkewSeconds) {
    throw failed(
      witness,
      `cosigned for ${new Date(timeSeconds * 1000).toISOString()}, which is not now`,
    )
  }
  return { note, size: head.size, timeSeconds }
}

function signaturesIn(witness: PinnedWitness, text: string): readonly NoteSignature[] {
  try {
    return parseSignatures(text)
  } catch (error) {
    throw failed(witness, `answered no cosignature: ${firstLineOf(text)}`, error)
  }
}

function sizeOf(witness: PinnedWitness, text: string): number {
  try {
    return parseSize(text)
  } catch (error) {
    throw failed(witness, `answered no size: ${firstLineOf(text)}`, error)
  }
}

interface HttpAnswer {
  readonly status: number
  readonly type: string | null
  readonly text: string
}

async function post(
  witness: PinnedWitness,
  body: string,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  try {
    const response = await fetch(`${witness.url}${addCheckpointPath}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      // Where else the checkpoint goes is nothing for whoever answers to say.
      redirect: 'manual',
      signal,
    })
    const text = await boundedText(response)
    return { status: response.status, type: response.headers.get('content-type'), text }
  } catch (error) {
    if (error instanceof CapFenceError) throw error
    throw failed(witness, reasonOf(error), error)
  }
}

async function boundedText({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  const read: AsyncIterable<unknown> | undefined = body ?? undefined
  for await (const piece of read ?? []) {
    if (!(piece instanceof Uint8Array)) continue
    bytes += piece.length
    if (bytes > limits.maxWitnessAnswerBytes) {
      throw new Error(`answered more than ${limits.maxWitnessAnswerBytes} bytes`)
    }
    pieces.push(piece)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces))
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'did not answer in time'
  if (error.name === 'AbortError') return 'was not waited for, because the gate ends'
  const { cause } = error
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message
}

function firstLineOf(text: string): string {
  return (text.split('\n', 1)[0] ?? '').slice(0, maxShownCharacters)
}

/** What a witness says in its own words, characters. */
const maxShownCharacters = 200

function failed(witness: PinnedWitness, what: string, cause?: unknown): CapFenceError {
  return new CapFenceError('ANCHOR_FAILED', `the witness at ${witness.url} ${what}`, { cause })
}

/** The answer is not signed: it is a reason to look, not a proof. */
function rolledBack(witness: PinnedWitness, head: SignedHead, size: number): CapFenceError {
  return new CapFenceError(
    'ANCHOR_FAILED',
    `the witness at ${witness.url} says that it has cosigned ${size} records of this log, which has ${head.size}: it was rolled back, or the witness is wrong`,
    { hint: lookHint },
  )
}

function contradiction(witness: PinnedWitness, head: SignedHead, oldSize: number): CapFenceError {
  const what =
    oldSize === head.size
      ? `says that it has cosigned other records of this log, as many as it has: ${oldSize}; it was forked, or the witness is wrong`
      : `names the size ${oldSize}, and refuses it`
  return new CapFenceError('ANCHOR_FAILED', `the witness at ${witness.url} ${what}`, {
    hint: lookHint,
  })
}

const lookHint =
  'verify the log with the last cosigned checkpoint: `capfence audit verify --anchor FILE`'

import { discloseBytes, discloseNothing, discloseResult } from '../audit/disclosure.ts'
import type { DisclosureMode, Sealed } from '../audit/disclosure.ts'
import type { OutcomeStatus } from '../audit/drafts.ts'
import { outcomeRecord } from '../audit/drafts.ts'
import type { ActionEvent } from '../event/action-event.ts'
import type { Effects } from './store.ts'
import type { AllowVerdict } from './verdict.ts'

/** What became of a call that was let through. */
export interface Outcome {
  readonly status: OutcomeStatus
  /** From forwarding to the answer; measured from the verdict on when absent. */
  readonly ms?: number | undefined
  /** Size of the result; taken from `result` when absent. */
  readonly bytes?: number | undefined
  /** The result, to be sealed as one piece: whoever holds it can later prove that this was it. */
  readonly result?: Uint8Array | undefined
  /** The result as a JSON object; asked for only where results are kept (disclosure `full`). */
  readonly value?: (() => ActionEvent['arguments']) | undefined
}

/** What the record of an outcome needs beside the outcome. */
export interface OutcomeFacts {
  readonly verdict: AllowVerdict
  readonly elapsedMs: number
  readonly disclosure: DisclosureMode
  readonly salts: (count: number) => Uint8Array
}

/** The record of an outcome, with what it discloses. */
export function outcomeEffects(outcome: Outcome, facts: OutcomeFacts): Effects<undefined> {
  const { verdict } = facts
  const sealed = sealedResult(outcome, facts)
  const record = outcomeRecord({
    call: verdict.callId,
    decisionSeq: verdict.decisionSeq,
    status: outcome.status,
    ms: outcome.ms ?? facts.elapsedMs,
    bytes: outcome.bytes ?? outcome.result?.length ?? null,
    result: sealed.digests,
  })
  return { records: [record], disclosures: sealed.disclosures, result: undefined }
}

function sealedResult(outcome: Outcome, { disclosure, salts }: OutcomeFacts): Sealed {
  if (disclosure === 'full' && outcome.value !== undefined) {
    return discloseResult(outcome.value(), salts, disclosure)
  }
  return outcome.result === undefined
    ? discloseNothing(disclosure)
    : discloseBytes('result', outcome.result, salts, disclosure)
}

import { discloseBytes, discloseNothing, discloseResult } from '../audit/disclosure.ts'
import type { DisclosureMode, Sealed } from '../audit/disclosure.ts'
import type { OutcomeStatus } from '../audit/drafts.ts'
import { outcomeRecord } from '../audit/drafts.ts'
import type { ActionEvent } from '../event/action-event.ts'
import { untilMs } from './decide-state.ts'
import type { Proof } from './decide-state.ts'
import type { Effects, LabelChange } from './store.ts'
import type { AllowVerdict } from './verdict.ts'

/** What became of a call that was let through. */
export interface Outcome {
  readonly status: OutcomeStatus
  /** From forwarding to the answer; measured from the verdict on when absent. */
  readonly ms?: number | undefined
  /** False when the call was certainly never sent, so that it does not count for limits. */
  readonly sent?: boolean | undefined
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
  /** The clock, milliseconds since the epoch. */
  readonly nowMs: number
  /** What the call proves if it ended without an error. */
  readonly proofs: readonly Proof[]
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
    sent: outcome.sent === false ? false : undefined,
  })
  return {
    records: [record],
    disclosures: sealed.disclosures,
    labels: outcome.status === 'ok' && outcome.sent !== false ? proven(facts) : [],
    ...(outcome.sent === false ? { returned: verdict.decisionSeq } : {}),
    result: undefined,
  }
}

function proven({ proofs, nowMs, verdict }: OutcomeFacts): readonly LabelChange[] {
  return proofs.map(({ subject, label, bind, ttlMs }) => {
    const until = untilMs(nowMs, ttlMs)
    const seq = verdict.decisionSeq
    return { subject, label, bind, heldUntilMs: until, provenUntilMs: until, seq }
  })
}

function sealedResult(outcome: Outcome, { disclosure, salts }: OutcomeFacts): Sealed {
  if (disclosure === 'full' && outcome.value !== undefined) {
    return discloseResult(outcome.value(), salts, disclosure)
  }
  return outcome.result === undefined
    ? discloseNothing(disclosure)
    : discloseBytes('result', outcome.result, salts, disclosure)
}

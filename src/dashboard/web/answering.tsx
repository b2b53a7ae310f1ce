import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { get, post } from './api.ts'
import { useAsked } from './live.ts'
import { Choice } from './parts.tsx'
import { approveByPasskey } from './passkey.ts'
import type { Approval, Approver } from './shapes.ts'

/** Does something and says what went wrong. */
export type Act = (work: () => Promise<unknown>) => void

/** How long a card is there before its buttons work, milliseconds: nobody means what moved under the pointer. */
const restMs = 600

const terms = [
  ['once', 'Once'],
  ['10', '10 minutes'],
  ['60', '1 hour'],
  ['session', 'This session'],
] as const
type Term = (typeof terms)[number][0]

/** What a question that waits can be answered with. */
export function Buttons({
  approval,
  act,
}: {
  readonly approval: Approval
  readonly act: Act
}): JSX.Element {
  const [term, setTerm] = useState<Term>('once')
  const isReady = useRested()
  // Who does not see everything says yes to this one call at most.
  const isWhole = approval.argumentsHidden.length === 0 && approval.argumentsWithheld === 0
  const options = isWhole
    ? terms.filter(([one]) => one !== 'session' || approval.session !== null)
    : terms.slice(0, 1)
  const deny = (): void => act(() => post(`/api/approvals/${approval.id}`, { verdict: 'deny' }))
  const denying = (
    <button type="button" class="deny" disabled={!isReady} onClick={deny}>
      Deny
    </button>
  )
  const choosing = (
    <>
      <Choice label="for how long" options={options} value={term} onChange={setTerm} />
      <p class="note">
        {isWhole
          ? rememberedText(term, approval)
          : 'Part of it is not shown, so it can be approved for this one call only.'}
      </p>
    </>
  )
  const parts = { approval, act, term, isReady, choosing, denying }
  return (
    <footer>
      {approval.terms.presence === 'any' ? <ByClick {...parts} /> : <BySignature {...parts} />}
    </footer>
  )
}

interface Answering {
  readonly approval: Approval
  readonly act: Act
  readonly term: Term
  readonly isReady: boolean
  readonly choosing: JSX.Element
  readonly denying: JSX.Element
}

function ByClick({ approval, act, term, isReady, choosing, denying }: Answering): JSX.Element {
  const approve = (): void =>
    act(() => post(`/api/approvals/${approval.id}`, { verdict: 'approve', ...bodyOf(term) }))
  return (
    <>
      {choosing}
      <div class="buttons">
        <button type="button" class="approve" disabled={!isReady} onClick={approve}>
          Approve
        </button>
        {denying}
      </div>
    </>
  )
}

/** A passkey signs here, where one was made for this page; a key behind a passphrase signs in a terminal. */
function BySignature({ approval, act, term, isReady, choosing, denying }: Answering): JSX.Element {
  const asked = useAsked(() => get<readonly Approver[]>('/api/approvers'), 'approvers')
  const all = (asked.value ?? []).flatMap(({ name, passkeys }) =>
    passkeys.map(({ keyId, origin }) => ({ name, keyId, origin })),
  )
  const here = all.filter(({ origin }) => origin === location.origin)
  const { presence } = approval.terms
  const approve = (passkey: string): void =>
    act(() =>
      approveByPasskey({ approval: approval.id, passkey, session: approval.session }, bodyOf(term)),
    )
  return (
    <>
      {here.length === 0 ? null : choosing}
      {asked.value === undefined || here.length > 0 ? null : (
        <p class="note">{elsewhereText(all, presence)}</p>
      )}
      {presence === 'key' ? (
        <>
          <p class="note">{here.length === 0 ? 'In a terminal:' : 'Or in a terminal:'}</p>
          <pre tabIndex={0} aria-label="command to approve">
            capfence approvals approve {approval.id}
          </pre>
        </>
      ) : null}
      <div class="buttons">
        {here.map(({ name, keyId }) => (
          <button
            key={keyId}
            type="button"
            class="approve"
            disabled={!isReady}
            onClick={() => approve(keyId)}
          >
            {here.length === 1
              ? 'Approve with passkey'
              : `Approve as ${name} (passkey ${keyId.slice(0, 8)})`}
          </button>
        ))}
        {denying}
      </div>
    </>
  )
}

function elsewhereText(all: readonly { readonly origin: string }[], presence: string): string {
  const asks = `Its rule asks for an approver’s ${presence}.`
  const [first] = all
  if (first !== undefined) {
    return `${asks} The passkeys of this list sign at ${first.origin} only: run capfence ui without --port.`
  }
  return presence === 'passkey'
    ? `${asks} Nobody has one yet: capfence keys approver passkey add NAME.`
    : asks
}

function bodyOf(term: Term): object {
  if (term === 'once') return {}
  return term === 'session' ? { session: true } : { minutes: Number(term) }
}

/** What will be remembered, and what else of late it would have let pass. */
function rememberedText(term: Term, { covered, actor }: Approval): string {
  const others =
    covered.of === 0
      ? ''
      : ` Of its last ${String(covered.of)} calls of this tool, ${String(covered.same)} were exactly this one.`
  if (term === 'once') return `The same call by ${actor} passes once.`
  const howLong = term === 'session' ? 'for the rest of this session' : `for ${term} minutes`
  return `This tool with exactly these arguments, by ${actor}, passes ${howLong}.${others}`
}

function useRested(): boolean {
  const [isReady, setReady] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setReady(true), restMs)
    return () => clearTimeout(timer)
  }, [])
  return isReady
}

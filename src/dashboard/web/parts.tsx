import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Problem } from './api.ts'
import type { Asked } from './live.ts'
import { decisionWords, indentedJson } from './text.ts'

/** Why something is not there. */
export function Complaint({ problem }: { readonly problem: Problem }): JSX.Element {
  return (
    <p class="complaint" role="alert">
      {problem.message}
      {problem.hint === undefined ? null : <span class="hint">{problem.hint}</span>}
    </p>
  )
}

/** What was asked for once it is there; before that, that it is on its way, or why it is not there. */
export function Answer<T>({
  asked,
  children,
}: {
  readonly asked: Asked<T>
  readonly children: (value: T) => ComponentChildren
}): JSX.Element {
  return (
    <>
      {asked.problem === undefined ? null : <Complaint problem={asked.problem} />}
      {asked.value === undefined
        ? asked.problem === undefined && <p class="quiet">reading the log …</p>
        : children(asked.value)}
    </>
  )
}

/** A decision as a word with its colour and its mark, so that colour is not all that tells it. */
export function DecisionMark({
  decision,
  isObserved = false,
}: {
  readonly decision: string
  readonly isObserved?: boolean
}): JSX.Element {
  const mark = { allow: '✓', require_approval: '?', deny: '✕', refused: '⊘' }[decision] ?? '·'
  return (
    <span class={`mark ${decision}`}>
      <span aria-hidden="true">{mark}</span> {decisionWords[decision] ?? decision}
      {isObserved ? ' (observed)' : ''}
    </span>
  )
}

/** The arguments of a call: every digit as it was written, nothing that is left out without a word. */
export function Arguments({
  text,
  hidden,
  withheld,
  onShow,
}: {
  readonly text: string
  readonly hidden: readonly string[]
  readonly withheld: number
  /** Absent when everything is shown that can be. */
  readonly onShow?: (() => void) | undefined
}): JSX.Element {
  return (
    <div class="arguments">
      {text === '{}' && withheld === 0 ? (
        <p class="quiet">without arguments</p>
      ) : (
        <pre tabIndex={0} aria-label="arguments">
          {indentedJson(text)}
        </pre>
      )}
      {hidden.length === 0 ? null : (
        <p class="note">
          Not shown: {hidden.join(', ')}{' '}
          {onShow === undefined ? null : (
            <button type="button" class="link" onClick={onShow}>
              Show what looks secret
            </button>
          )}
        </p>
      )}
      {withheld === 0 ? null : (
        <p class="note">
          {withheld} of the arguments were never kept; the log has only digests of them.
        </p>
      )}
    </div>
  )
}

/** Names and what they are, as pairs. */
export function Facts({
  rows,
}: {
  readonly rows: readonly (readonly [name: string, value: ComponentChildren])[]
}): JSX.Element {
  return (
    <dl class="facts">
      {rows
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

/** A dialog over the page; Escape and the button close it. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="dialog-title">
      <header>
        <h2 id="dialog-title">{title}</h2>
        <button type="button" class="plain" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </header>
      {children}
    </dialog>
  )
}

/** Buttons of which one is chosen. */
export function Choice<T extends string>({
  label,
  options,
  value,
  onChange,
}: {
  readonly label: string
  readonly options: readonly (readonly [value: T, text: string])[]
  readonly value: T
  readonly onChange: (value: T) => void
}): JSX.Element {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map(([one, text]) => (
        <button key={one} type="button" aria-pressed={one === value} onClick={() => onChange(one)}>
          {text}
        </button>
      ))}
    </div>
  )
}

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { get } from './api.ts'
import { useAsked } from './live.ts'
import { Answer, Arguments, Dialog, Facts } from './parts.tsx'
import type { Receipt } from './shapes.ts'
import { bytesText, durationText, indentedJson, reasonText } from './text.ts'

/** One record with all that the log says of it. */
export function ReceiptDialog({
  which,
  onClose,
}: {
  readonly which: string
  readonly onClose: () => void
}): JSX.Element {
  const [secrets, setSecrets] = useState(false)
  const path = `/api/records/${encodeURIComponent(which)}${secrets ? '?secrets=1' : ''}`
  const asked = useAsked(() => get<Receipt>(path), path)
  return (
    <Dialog title={`Record ${which}`} onClose={onClose}>
      <Answer asked={asked}>
        {(receipt) => (
          <ReceiptBody receipt={receipt} onShow={secrets ? undefined : () => setSecrets(true)} />
        )}
      </Answer>
    </Dialog>
  )
}

function ReceiptBody({
  receipt,
  onShow,
}: {
  readonly receipt: Receipt
  readonly onShow: (() => void) | undefined
}): JSX.Element {
  const { record, argumentsText, sealed, erased, argumentsHidden, argumentsWithheld } = receipt
  return (
    <>
      <Facts rows={rowsOf(receipt)} />
      {argumentsText === null ? null : (
        <>
          <h3>Arguments</h3>
          <Arguments
            text={argumentsText}
            hidden={argumentsHidden}
            withheld={argumentsWithheld}
            onShow={onShow}
          />
        </>
      )}
      {sealed.length === 0 ? null : (
        <>
          <h3>What else was kept</h3>
          {sealed.map(({ member, name, text }) => (
            <div key={`${member} ${name}`}>
              <p class="quiet">
                {member}: {name}
              </p>
              <pre tabIndex={0} aria-label={`${member} ${name}`}>
                {indentedJson(text)}
              </pre>
            </div>
          ))}
        </>
      )}
      {Object.entries(erased).map(([member, count]) => (
        <p class="note" key={member}>
          Erased: {count} of {member}; only digests are left.
        </p>
      ))}
      <details>
        <summary>The record itself</summary>
        <Facts
          rows={[
            ['type', record.type],
            ['log', record.log],
            ['writer', record.writer],
            ['record before', record.prev],
            ['leaf', record.leaf],
          ]}
        />
        <pre tabIndex={0} aria-label="the record">
          {JSON.stringify(record.data, undefined, 2)}
        </pre>
        <p class="note">
          To hand it to somebody: <code>capfence audit prove {record.seq}</code>
        </p>
      </details>
    </>
  )
}

function rowsOf({ record, outcome }: Receipt): readonly (readonly [string, string])[] {
  const { data, time } = record
  const text = (name: string): string => {
    const value = data[name]
    if (value === null || value === undefined) return ''
    return typeof value === 'string' ? value : JSON.stringify(value)
  }
  if (record.type !== 'decision') {
    return [
      ['what', record.type],
      ['time', time],
      ['reason', reasonText(text('reason'))],
      ['status', reasonText(text('status'))],
    ]
  }
  const took = outcome === null || outcome.ms === null ? '' : ` in ${durationText(outcome.ms)}`
  const size = outcome === null || outcome.bytes === null ? '' : `, ${bytesText(outcome.bytes)}`
  return [
    [
      'decision',
      `${text('decision')}${text('mode') === 'observe' ? ' (observed, not enforced)' : ''}`,
    ],
    ['reason', reasonText(text('reason'))],
    ['rules', rulesText(data['rule'])],
    ['time', time],
    ['tool', `${text('server')}.${text('tool')}`],
    ['capability', text('capability')],
    ['actor', text('actor')],
    ['client', text('client')],
    ['session', text('session')],
    ['where', text('environment')],
    ['risk', text('risk')],
    ['approval', text('approval')],
    ['forwarded', data['forwarded'] === true ? 'yes' : 'no, the server never saw it'],
    ['outcome', outcome === null ? '' : `${reasonText(outcome.status)}${took}${size}`],
    ['call', text('call')],
    ['policy', text('policy_hash')],
  ]
}

function rulesText(rules: unknown): string {
  if (!Array.isArray(rules)) return ''
  return rules
    .map((rule: unknown) => {
      if (typeof rule !== 'object' || rule === null) return ''
      const { id, file, line } = { id: '', file: '', line: '', ...rule }
      return `${id} (${file}:${line})`
    })
    .join(', ')
}

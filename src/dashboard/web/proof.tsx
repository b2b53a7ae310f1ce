import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { LogProof, Pin, RecordProof } from '../../audit/portable/index.ts'
import { readPin, Refused, verifyLines, verifyProof } from '../../audit/portable/index.ts'
import { Facts } from './parts.tsx'

/** A pin or a proof, bytes at most; an export may be of any length, it is read piece by piece. */
const maxTextBytes = 1_000_000

type Checked =
  | { readonly kind: 'record'; readonly name: string; readonly proof: RecordProof }
  | { readonly kind: 'log'; readonly name: string; readonly proof: LogProof }
  | { readonly kind: 'refused'; readonly name: string; readonly why: string }

/**
 * Checks a proof or an export in this browser, by code that is not the gate's; nothing of it is sent anywhere.
 */
export function ProofCheck(): JSX.Element {
  const [pinText, setPinText] = useState('')
  const [checked, setChecked] = useState<Checked>()
  const [busy, setBusy] = useState('')
  const pin = pinOf(pinText)
  const take = async (file: File): Promise<void> => {
    setChecked(undefined)
    if (isPinFile(file)) {
      setPinText(await file.text())
      return
    }
    setBusy(file.name)
    setChecked(await check(file, pin))
    setBusy('')
  }
  return (
    <>
      <h1>Check a proof</h1>
      <p>
        Drop what <code>capfence audit prove</code> or <code>capfence audit export --jsonl</code>{' '}
        has written. It is checked here, in the browser, and sent nowhere.
      </p>
      <label class="search">
        <span>The keys of the log (the pin that you kept)</span>
        <textarea
          rows={3}
          spellcheck={false}
          value={pinText}
          onInput={(event) => setPinText(event.currentTarget.value)}
        />
      </label>
      <p class="quiet" role="status">
        {pinText.trim() === ''
          ? 'without them nothing can be proved'
          : pin instanceof Refused
            ? pin.message
            : `of ${pin.origin}`}
      </p>
      <Drop onFile={(file) => void take(file)} />
      <div role="status">
        {busy === '' ? null : <p class="quiet">checking {busy} …</p>}
        {checked === undefined ? null : <Result checked={checked} />}
      </div>
    </>
  )
}

function Drop({ onFile }: { readonly onFile: (file: File) => void }): JSX.Element {
  const [isOver, setOver] = useState(false)
  return (
    <label
      class={isOver ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        const file = event.dataTransfer?.files[0]
        if (file !== undefined) onFile(file)
      }}
    >
      <span>Drop a pin, a proof or an export here, or choose one</span>
      <input
        type="file"
        onChange={(event) => {
          const input = event.currentTarget
          const file = input.files?.[0]
          if (file !== undefined) onFile(file)
          // The same file can be chosen again after it was changed.
          input.value = ''
        }}
      />
    </label>
  )
}

function Result({ checked }: { readonly checked: Checked }): JSX.Element {
  if (checked.kind === 'refused') {
    return (
      <p class="verdict deny">
        Not proved: {checked.name}: {checked.why}
      </p>
    )
  }
  if (checked.kind === 'log') {
    const { origin, size, root, epochs, checkpoints, signedFrom, disclosed } = checked.proof
    return (
      <section class="panel">
        <p class="verdict allow">Proved: {size.toLocaleString()} records, all of the log.</p>
        <Facts
          rows={[
            ['log', origin],
            ['root', root],
            ['checkpoints', String(checkpoints)],
            ['keys', `${String(epochs)} in turn`],
            ['signed since record', String(signedFrom)],
            ['values shown', disclosed === undefined ? 'none' : String(disclosed)],
          ]}
        />
      </section>
    )
  }
  const { record, size, root, isEpochVerified } = checked.proof
  return (
    <section class="panel">
      <p class="verdict allow">
        Proved: record {record.seq} stands in the log as it was signed at {size.toLocaleString()}{' '}
        records.
      </p>
      <Facts
        rows={[
          ['log', record.log],
          ['root', root],
          [
            'keys',
            isEpochVerified
              ? 'both'
              : 'the stable key alone: the epoch’s does not follow from the pin',
          ],
        ]}
      />
      <pre tabIndex={0} aria-label="the record">
        {JSON.stringify(record, undefined, 2)}
      </pre>
    </section>
  )
}

function pinOf(text: string): Pin | Refused {
  try {
    return readPin(`${text.trim()}\n`)
  } catch (error) {
    return error instanceof Refused ? error : new Refused(String(error))
  }
}

function isPinFile({ name, size }: File): boolean {
  return size < 1000 && /\.(?:pin|vkey|txt)$/.test(name)
}

async function check(file: File, pin: Pin | Refused): Promise<Checked> {
  const { name } = file
  try {
    if (pin instanceof Refused) throw new Refused('give the pin of the log first')
    const start = await file.slice(0, 64).text()
    if (!start.startsWith('{')) {
      if (file.size > maxTextBytes) throw new Refused('it is neither a proof nor an export')
      return { kind: 'record', name, proof: verifyProof(await file.text(), pin) }
    }
    return { kind: 'log', name, proof: await verifyLines(piecesOf(file), pin) }
  } catch (error) {
    return { kind: 'refused', name, why: error instanceof Error ? error.message : String(error) }
  }
}

async function* piecesOf(file: File): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = file.stream().getReader()
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one piece after the other
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}

import { existsSync, writeFileSync } from 'node:fs'
import { Witness, type Fork } from '../anchor/witness.ts'
import { serveWitness, type ListeningWitness } from '../anchor/witness-server.ts'
import { WitnessState } from '../anchor/witness-state.ts'
import { cosigner, cosignerKeyOf, printCosignerKey, type Cosigner } from '../audit/cosignature.ts'
import { checkedName, parseVerifierKey, type VerifierKey } from '../audit/note.ts'
import { ulid } from '../crypto/ids.ts'
import { makeKeyFile, readKeyFile } from '../crypto/key-file.ts'
import { systemRandom } from '../crypto/random.ts'
import { sha256Hex } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { complaint } from './report-error.ts'
import { jsonLine, shown } from './shown.ts'

/** What `capfence witness` takes, as it was typed. */
export interface WitnessFlags {
  readonly listen: string
  readonly state: string
  readonly key: string
  readonly log: readonly string[]
  readonly name?: string | undefined
  readonly host?: readonly string[] | undefined
  readonly json?: boolean | undefined
}

/**
 * `capfence witness`: cosigns checkpoints of the logs that it knows until it is told to stop.
 *
 * @throws CapFenceError `USAGE` for wrong flags, `AUDIT_UNAVAILABLE` and `AUDIT_CORRUPT` for its key and its state
 */
export async function witness(flags: WitnessFlags, io: Io): Promise<ExitCode> {
  const place = placeOf(flags)
  const logs = logsOf(flags.log)
  const { signer, state } = identityOf(flags, io)
  const serving = await serveWitness(
    new Witness({
      cosigner: signer,
      logs,
      state,
      nowSeconds: () => Math.floor(io.nowMs() / 1000),
      onFork: (fork) => void reportFork(fork, flags.state, io),
      onFailure: ({ message, hint }) => void io.err.write(complaint(io, message, hint)),
    }),
    place,
  )
  await announce(serving, printCosignerKey(cosignerKeyOf(signer)), {
    io,
    json: flags.json === true,
  })
  await untilStopped(io)
  await serving.close()
  return exitCodes.yes
}

function placeOf({ listen, host = [] }: WitnessFlags): Parameters<typeof serveWitness>[1] {
  const { address, bare, port } =
    /^(?:\[(?<bare>[0-9A-Fa-f:.]+)\]|(?<address>[0-9A-Za-z.-]+)):(?<port>\d{1,5})$/.exec(listen)
      ?.groups ?? {}
  const named = bare ?? address
  if (named === undefined || Number(port) > 65_535) {
    throw new CapFenceError('USAGE', `\`--listen ${listen}\` is no address and port`, {
      hint: 'write `--listen 127.0.0.1:7811`; port 0 takes any that is free',
    })
  }
  if (/^(?:0\.0\.0\.0|::|0)$/.test(named) && host.length === 0) {
    throw new CapFenceError('USAGE', 'a witness at every address needs to know its name', {
      hint: 'add `--host witness.example.org:7811`, as it stands in the URL that logs use',
    })
  }
  return { address: named, port: Number(port), hosts: host.map((one) => one.toLowerCase()) }
}

function logsOf(texts: readonly string[]): readonly VerifierKey[] {
  if (texts.length > limits.maxWitnessLogs) {
    throw new CapFenceError('USAGE', `more than ${limits.maxWitnessLogs} logs`)
  }
  return texts.map((text) => {
    try {
      return parseVerifierKey(text)
    } catch (cause) {
      if (!(cause instanceof CapFenceError)) throw cause
      throw new CapFenceError('USAGE', `\`--log ${text}\` is no key of a log: ${cause.message}`, {
        hint: 'write `NAME+ID+KEY`, in quotes; the first line of a log’s pin',
        cause,
      })
    }
  })
}

interface Identity {
  readonly signer: Cosigner
  readonly state: WitnessState
}

/**
 * The witness's key and what it remembers: both are made at its first start, and never one without the other.
 *
 * A state that is gone is not made anew for a key that may have cosigned something.
 */
function identityOf({ key, state, name }: WitnessFlags, io: Io): Identity {
  if (!existsSync(key) && !existsSync(state)) {
    const chosen = checkedName(name ?? `capfence.local/witness/${ulid(io.nowMs(), systemRandom)}`)
    const signer = signerOf(makeKeyFile(key, chosen, systemRandom(32)))
    return { signer, state: WitnessState.make(state, printCosignerKey(cosignerKeyOf(signer))) }
  }
  const signer = signerOf(readKeyFile(key))
  if (name !== undefined && name !== signer.name) {
    throw new CapFenceError('USAGE', `the key \`${key}\` has the name \`${signer.name}\``, {
      hint: 'leave out `--name`: a witness keeps the name of its first start',
    })
  }
  return { signer, state: WitnessState.open(state, printCosignerKey(cosignerKeyOf(signer))) }
}

function signerOf({ name, key }: ReturnType<typeof readKeyFile>): Cosigner {
  return cosigner(name, key)
}

async function announce(
  { url }: ListeningWitness,
  key: string,
  { io, json }: { readonly io: Io; readonly json: boolean },
): Promise<void> {
  await io.out.write(json ? jsonLine({ url, key }) : `url ${shown(url)}\nkey ${shown(key)}\n`)
}

/** Says that a log has been forked, and keeps the first proof of it for each log beside the state. */
async function reportFork(
  { origin, size, cosigned, refused }: Fork,
  state: string,
  io: Io,
): Promise<void> {
  const path = `${state}.fork-${sha256Hex(origin).slice(0, 16)}`
  try {
    writeFileSync(path, `${cosigned}\n${refused}`, { flag: 'wx', mode: 0o600 })
  } catch {
    // There is one already, or no room for it: what the witness says and refuses does not depend on it.
  }
  await io.err.write(
    complaint(io, `${origin} has signed two checkpoints of ${size} records: it was forked`, path),
  )
}

async function untilStopped(io: Io): Promise<void> {
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
  await new Promise<void>((resolve) => {
    const stop = (): void => resolve()
    for (const signal of signals) process.once(signal, stop)
    io.stopped.addEventListener('abort', stop, { once: true })
    if (io.stopped.aborted) stop()
  })
}

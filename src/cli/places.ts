import type { Config, Storage } from '../config/config.ts'
import { parseStorage } from '../config/config.ts'
import { defaultConfigPath, readConfigFile } from '../config/file.ts'
import { CapFenceError } from '../errors.ts'
import type { LogReader, Store } from '../runtime/store.ts'
import type { Io } from './io.ts'
import { mayExist } from './storage-kind.ts'
import { complaint } from './report-error.ts'

/** Where a command finds the log: named, or in the configuration. */
export interface PlaceFlags {
  readonly config?: string | undefined
  readonly storage?: string | undefined
}

/** A log with its keys. */
export interface WritablePlace {
  readonly path: string
  /** The folder of its keys; undefined for the one beside it. */
  readonly keys: string | undefined
  /** The file that remembers its newest head; undefined for the one beside it. */
  readonly highWater: string | undefined
  /** Undefined for a log in SQLite. */
  readonly postgres: Storage['postgres']
}

/** Opens a log for reading; the engine that can is loaded by it, so that other commands start without one. */
export type OpenLog = (storage: Storage) => Promise<LogReader>

/** Opens a log for writing. */
export type OpenStore = (place: WritablePlace) => Promise<Store>

/**
 * Runs something with the log that the flags name, and closes it whatever happens.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE` when there is no log: nothing is created, and no empty answer is given
 */
export async function withLog<T>(
  flags: PlaceFlags,
  open: OpenLog,
  use: (reader: LogReader) => Promise<T>,
): Promise<T> {
  const storage = storageOf(flags)
  requireLog(storage)
  const reader = await open(storage)
  try {
    return await use(reader)
  } finally {
    await reader.close()
  }
}

/**
 * Where a log is that a command goes on writing.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE` when there is no log: only the gate makes one
 */
export function placeToWrite(flags: PlaceFlags): WritablePlace {
  const place = placeOf(flags)
  requireLog(place)
  return place
}

/**
 * Where the log is that the flags name, with what belongs to it; whether it is there is not asked.
 *
 * @throws CapFenceError `USAGE`, or what is wrong with the configuration
 */
export function placeOf(flags: PlaceFlags): WritablePlace {
  const { config, storage } = flags
  return storage === undefined
    ? writablePlace(readConfigFile(config ?? defaultConfigPath))
    : placeOfStorage(storageOf(flags), {})
}

/** The log of a configuration with what belongs to it. */
export function writablePlace({ storage, audit }: Config): WritablePlace {
  return placeOfStorage(storage, audit)
}

/** A log in a database has nothing beside it: what belongs to it lies under names of its own on this machine. */
function placeOfStorage(
  storage: Storage,
  { keys, highWater }: Partial<Pick<WritablePlace, 'keys' | 'highWater'>>,
): WritablePlace {
  const { path, postgres } = storage
  if (postgres === undefined) return { ...storage, keys, highWater }
  return {
    ...storage,
    keys: keys ?? `${path}.keys`,
    highWater: highWater ?? `${path}.highwater`,
  }
}

function requireLog({ path, postgres }: Storage): void {
  if (mayExist({ path, postgres })) return
  throw new CapFenceError('AUDIT_UNAVAILABLE', `there is no log at \`${path}\``, {
    hint: 'the first `capfence run` makes it; name another one with `--storage` or `--config`',
  })
}

/**
 * Runs something that writes to a log that there is, and closes it whatever happens.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE` when there is no log: only the gate makes one
 */
export async function withStore<T>(
  place: WritablePlace,
  open: OpenStore,
  use: (store: Store) => Promise<T>,
): Promise<T> {
  requireLog(place)
  const store = await open(place)
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

/** The log that the flags name with its keys, and the configuration unless they name the log itself. */
export async function configAndPlace(
  flags: PlaceFlags,
  io: Io,
): Promise<{ readonly config: Config | undefined; readonly place: WritablePlace }> {
  const isNamed = flags.storage !== undefined
  const config =
    isNamed && flags.config === undefined ? undefined : await readConfig(flags.config, io)
  const place =
    isNamed || config === undefined ? placeOfStorage(storageOf(flags), {}) : writablePlace(config)
  return { config, place }
}

/**
 * Where the log is that the flags name.
 *
 * @throws CapFenceError `USAGE`, or what is wrong with the configuration
 */
export function storageOf({ config, storage }: PlaceFlags): Storage {
  if (storage === undefined) return readConfigFile(config ?? defaultConfigPath).storage
  // A bare path is what people type; only the configuration insists on the engine's name.
  const text = /^[a-z]{2,}:/i.test(storage) ? storage : `sqlite:${storage}`
  const parsed = parseStorage(text, process.cwd())
  if (!('problem' in parsed)) return parsed
  throw new CapFenceError('USAGE', `\`--storage\` ${parsed.problem}`, { hint: parsed.hint })
}

/** Reads a configuration and says what it warns of. */
export async function readConfig(path: string | undefined, io: Io): Promise<Config> {
  const config = readConfigFile(path ?? defaultConfigPath)
  const lines = config.warnings.map(({ position, message, hint }) =>
    complaint(
      io,
      `${position.file}:${position.line}:${position.column}: warning: ${message}`,
      hint,
    ),
  )
  await io.err.write(lines.join(''))
  return config
}

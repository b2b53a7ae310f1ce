import { Anchors, type Anchor, type AnchoredLog, type AnchorResult } from '../anchor/anchors.ts'
import type { SignedCheckpoint } from '../anchor/exec.ts'
import { NoteFolder } from '../anchor/note-folder.ts'
import { parseCosignerKey } from '../audit/cosignature.ts'
import { parseCheckpoint } from '../audit/checkpoint.ts'
import { anchorRecord } from '../audit/log-drafts.ts'
import { parseNote } from '../audit/note.ts'
import type { AnchorConfig } from '../config/anchors.ts'
import type { Config } from '../config/config.ts'
import { CapFenceError } from '../errors.ts'
import type { Store } from '../runtime/store.ts'

/** An anchor of the configuration, ready to be run. */
export interface ReadyAnchor {
  readonly config: AnchorConfig
  readonly anchor: Anchor
}

/**
 * The anchors of a configuration.
 *
 * @throws CapFenceError `CONFIG_INVALID` when the key of a witness is none
 */
export function anchorsOf({ file, audit }: Config): readonly ReadyAnchor[] {
  return audit.anchors.map((config) => {
    if (config.kind === 'exec') return { config, anchor: config }
    const { kind, name, url, vkey } = config
    try {
      return { config, anchor: { kind, name, url, key: parseCosignerKey(vkey) } }
    } catch (cause) {
      if (!(cause instanceof CapFenceError)) throw cause
      const message = `${file}: the \`vkey\` of the anchor \`${name}\` is no key of a witness: ${cause.message}`
      throw new CapFenceError('CONFIG_INVALID', message, {
        hint: 'copy what `capfence witness` prints as its key, from its start to its end',
        cause,
      })
    }
  })
}

/** Runs anchors of the log that a configuration names, through its open store. */
export function anchoring(
  config: Config,
  store: Store,
  process: {
    readonly environment: Readonly<Record<string, string | undefined>>
    readonly nowMs: () => number
    readonly stopped: AbortSignal
  },
): Anchors {
  return new Anchors(anchoredLog(store), {
    folder: config.folder,
    notes: new NoteFolder(`${config.storage.path}.anchors`),
    ...process,
  })
}

/** What became of an anchor, in a line for people. */
export function anchorLine({ name, size, error }: AnchorResult): string {
  const records = size === null ? 'the log' : `${size} records`
  return error === null
    ? `${name}: ${records} anchored`
    : `${name}: ${records} could not be anchored: ${error}`
}

function anchoredLog(store: Store): AnchoredLog {
  return {
    head: () => syncedHead(store),
    leaves: async (from, count) => {
      const rows = await store.rows(from, count)
      return rows.map(({ leaf }) => Buffer.from(leaf).toString('hex'))
    },
    record: (facts) =>
      store.commit(() => ({ records: [anchorRecord(facts)], result: undefined }), 'power'),
  }
}

/** Makes the newest head durable first: what has left cannot be taken back. */
async function syncedHead(store: Store): Promise<SignedCheckpoint> {
  await store.commit(() => ({ records: [], keepsCheckpoint: true, result: undefined }), 'power')
  const head = store.syncedHead()
  if (head === undefined) {
    throw new CapFenceError('AUDIT_UNAVAILABLE', 'the log has no signed head')
  }
  return { ...parseCheckpoint(parseNote(head.note).text), note: head.note }
}

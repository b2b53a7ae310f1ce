import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Config } from '../config/config.ts'
import { CapFenceError } from '../errors.ts'
import { approversPath } from './approver-files.ts'
import type { Finding } from './doctor-finding.ts'
import { mainPath } from './own-home.ts'
import { readApprovers } from './read-approvers.ts'

/** Who may approve, and whether that can be changed by whoever writes the list. */
export function checkAuthority({ approvals }: Config): readonly Finding[] {
  const area = 'approvers'
  if (approvals.approvers === undefined) {
    return [
      {
        area,
        level: 'doubt',
        text: 'there are none: whatever runs as this user, an agent too, can approve',
        mend: 'capfence keys approver add NAME',
      },
    ]
  }
  try {
    const { approvers } = readApprovers(approvals)
    const passkeys = approvers.flatMap((one) => one.passkeys).length
    const names = approvers.map(({ name }) => name).join(', ')
    const found: Finding = {
      area,
      level: 'fine',
      text: `${names}; passkeys: ${String(passkeys)}`,
    }
    if (approvals.approversSha256 !== undefined) return [found]
    return [
      found,
      {
        area,
        level: 'doubt',
        text: 'the list is not pinned: who writes another one is an approver',
        mend: '"approversSha256" in the configuration; `capfence keys approver add` prints it',
      },
    ]
  } catch (error) {
    if (!(error instanceof CapFenceError)) throw error
    return [{ area, level: 'wrong', text: error.message, mend: error.hint }]
  }
}

/** Whether what governs and what signs is out of the reach of others, and which of it this user can change. */
export function checkFiles(config: Config): readonly Finding[] {
  if (process.platform === 'win32') {
    const text = 'who may write what is not looked at on Windows: see their access lists'
    return [{ area: 'files', level: 'note', text }]
  }
  const governing = [config.file, ...config.policies, config.approvals.approvers, mainPath]
  const known = governing.filter((path) => path !== undefined).filter((path) => existsSync(path))
  const open = known.flatMap(openToOthers)
  const own = known.filter(isOwn)
  return [
    ...open,
    ...secrets(config).flatMap(readable),
    ...(own.length === 0
      ? [fine('another user owns what governs: an agent of this user cannot change it')]
      : [
          {
            area: 'files',
            level: 'note' as const,
            text: `an agent that runs as this user can change what governs it: ${own.join(', ')}`,
            mend: 'let another user own these files and their folders, and run the agent without rights there',
          },
        ]),
  ]
}

function fine(text: string): Finding {
  return { area: 'files', level: 'fine', text }
}

const writableByOthers = 0o022
const readableByOthers = 0o077

/** A file is as safe as its folder: whoever may write there puts another one in its place. */
function openToOthers(path: string): readonly Finding[] {
  return [path, dirname(path)].flatMap((one) => {
    const { mode } = statSync(one)
    // In a folder with the sticky bit only the owner of a file replaces it.
    if ((mode & writableByOthers) === 0 || (mode & 0o1000) !== 0) return []
    const text = `${one} can be written by other users`
    return [{ area: 'files', level: 'wrong' as const, text, mend: `chmod go-w ${one}` }]
  })
}

function isOwn(path: string): boolean {
  const user = process.geteuid?.()
  return [path, dirname(path)].some((one) => statSync(one).uid === user)
}

/** The private keys: of the log, and of approvers where they are kept beside the list. */
function secrets(config: Config): readonly string[] {
  const folders = [
    config.audit.keys ?? `${config.storage.path}.keys`,
    join(dirname(approversPath(config)), 'approvers'),
  ]
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => [folder, ...readdirSync(folder).map((file) => join(folder, file))])
}

function readable(path: string): readonly Finding[] {
  const stat = statSync(path)
  if ((stat.mode & readableByOthers) === 0) return []
  const mend = `chmod ${stat.isDirectory() ? '700' : '600'} ${path}`
  return [{ area: 'keys', level: 'wrong', text: `${path} is open to other users`, mend }]
}

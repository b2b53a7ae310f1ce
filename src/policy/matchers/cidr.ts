import type { Truth } from '../answer.ts'
import type { MatcherKind } from '../matcher.ts'
import { costs } from '../matcher.ts'
import { readChecked } from '../read-needles.ts'
import { truthOf } from '../truth.ts'
import { isInRange, meaningsOf, privateRanges, readAddress, readRange } from './address.ts'
import type { Address, AddressRange } from './address.ts'
import { urlOf } from './url.ts'

/**
 * `cidr`: the argument is a URL or a host whose address lies in one of these ranges; `private` is all that is not the
 * public Internet.
 *
 * No name is looked up. A name lies in no range, unless it says itself that it stays inside (`localhost`, `x.internal`) or
 * holds an address, as the names of public services that resolve to any address do: then a guard is not sure.
 */
export const cidr: MatcherKind<readonly string[]> = {
  read: (source, entry) =>
    readChecked(source, entry, {
      wanted: 'a range of addresses such as `10.0.0.0/8`, or `private`',
      check: (text) =>
        rangesOf(text).length > 0
          ? undefined
          : {
              says: 'is no range of addresses',
              hint: 'write `10.0.0.0/8`, `fd00::/8`, one address, or `private`; no bit behind the prefix may be set',
            },
    }),
  compile: (texts) => {
    const ranges = texts.flatMap(rangesOf)
    const isInside = (address: Address): boolean =>
      ranges.some((range) => isInRange(address, range))
    return {
      may: (argument) => {
        const url = urlOf(argument)
        if (url === undefined) return 'indeterminate'
        const address = readAddress(url.host)
        const value =
          address === undefined
            ? ofName(url.host, ranges)
            : truthOf(meaningsOf(address).some(isInside))
        return value === 'false' && !url.isPlain ? 'indeterminate' : value
      },
      must: (argument) => {
        const url = urlOf(argument)
        if (url?.isPlain !== true) return 'indeterminate'
        const address = readAddress(url.host)
        if (address === undefined) return 'false'
        return truthOf(meaningsOf(address).every(isInside))
      },
    }
  },
  cost: costs.path,
}

function rangesOf(text: string): readonly AddressRange[] {
  if (text === 'private') return privateRanges
  const range = readRange(text)
  return range === undefined ? [] : [range]
}

/** Names that are given out only inside of a house or a cloud; a name of one label is too. */
const insideName =
  /^[^.]+$|(?:^|\.)(?:localhost|localdomain|local|internal|intranet|private|corp|home|lan|home\.arpa|in-addr\.arpa|ip6\.arpa)$/
/** An IPv4 address in a name: `127.0.0.1.x`, `10-0-0-1.x`, `7f000001.x`. */
const heldAddress =
  /(?:^|[.-])(?:[0-9]{1,3}([.-])[0-9]{1,3}\1[0-9]{1,3}\1[0-9]{1,3}|[0-9a-f]{8})(?=[.-])/
/** Public names that are known for pointing home. */
const homeward =
  /(?:^|\.)(?:localtest\.me|lvh\.me|vcap\.me|lacolhost\.com|localho\.st|nip\.io|sslip\.io|xip\.io|rbndr\.us|rebind\.network|1u\.ms)$/

function ofName(host: string, ranges: readonly AddressRange[]): Truth {
  const name = host.replace(/\.$/, '')
  if (name === '') return 'indeterminate'
  if (/(?:^|\.)localhost$/.test(name)) {
    return ranges.some((range) => home.some((address) => isInRange(address, range)))
      ? 'true'
      : 'indeterminate'
  }
  const isOpen = insideName.test(name) || heldAddress.test(name) || homeward.test(name)
  return isOpen ? 'indeterminate' : 'false'
}

const home: readonly Address[] = [
  { family: 4, bits: 0x7f00_0001n },
  { family: 6, bits: 1n },
]

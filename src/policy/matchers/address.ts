/** An address of the Internet Protocol. */
export interface Address {
  readonly family: 4 | 6
  readonly bits: bigint
}

/** All addresses that begin with the same bits. */
export interface AddressRange {
  readonly family: 4 | 6
  readonly bits: bigint
  /** How many bits are the same. */
  readonly prefix: number
}

/** Reads an address as the URL standard writes it, IPv6 with or without brackets; undefined when it is none. */
export function readAddress(text: string): Address | undefined {
  const v4 = readV4(text)
  if (v4 !== undefined) return { family: 4, bits: v4 }
  const v6 = readV6(/^\[(?<inner>.*)\]$/.exec(text)?.groups?.['inner'] ?? text)
  return v6 === undefined ? undefined : { family: 6, bits: v6 }
}

/** Reads `10.0.0.0/8`, or one address; undefined when it is neither, or when bits behind the prefix are set. */
export function readRange(text: string): AddressRange | undefined {
  const [base = '', length, ...rest] = text.split('/')
  const address = readAddress(base)
  if (address === undefined || rest.length > 0) return undefined
  const width = widthOf(address)
  const prefix = length === undefined ? width : readPrefix(length)
  if (prefix === undefined || prefix > width) return undefined
  const host = BigInt(width - prefix)
  return (address.bits >> host) << host === address.bits ? { ...address, prefix } : undefined
}

/** Whether an address lies in a range. */
export function isInRange(address: Address, range: AddressRange): boolean {
  if (address.family !== range.family) return false
  const host = BigInt(widthOf(address) - range.prefix)
  return address.bits >> host === range.bits >> host
}

/** An address, and the IPv4 addresses that some network reaches under it. */
export function meaningsOf(address: Address): readonly Address[] {
  if (address.family === 4) return [address]
  const { bits } = address
  const inside = embeddings
    .filter(({ range }) => isInRange(address, range))
    .map(({ from, invert }) => {
      const v4 = (bits >> from) & mask32
      return { family: 4, bits: invert === true ? v4 ^ mask32 : v4 } as const
    })
  return [address, ...inside]
}

const mask32 = 0xffff_ffffn

interface Embedding {
  readonly range: AddressRange
  /** The lowest bit of the IPv4 address. */
  readonly from: bigint
  readonly invert?: boolean
}

const embeddings: readonly Embedding[] = [
  // Mapped, compatible, translated: RFC 4291 2.5.5, RFC 2765 2.1.
  { range: knownRange('::ffff:0:0/96'), from: 0n },
  { range: knownRange('::/96'), from: 0n },
  { range: knownRange('::ffff:0:0:0/96'), from: 0n },
  // NAT64: RFC 6052, RFC 8215.
  { range: knownRange('64:ff9b::/96'), from: 0n },
  { range: knownRange('64:ff9b:1::/48'), from: 0n },
  // 6to4 (RFC 3056) and Teredo (RFC 4380), which turns every bit around.
  { range: knownRange('2002::/16'), from: 80n },
  { range: knownRange('2001::/32'), from: 0n, invert: true },
]

function knownRange(text: string): AddressRange {
  const read = readRange(text)
  if (read === undefined) throw new Error(`bug: ${text} is a range`)
  return read
}

/**
 * Everything that is not the public Internet: this host and network, private, shared, link-local, reserved, for
 * documentation, multicast, and the address at which one cloud answers its guests (IANA special-purpose registries).
 */
export const privateRanges: readonly AddressRange[] = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  ...['168.63.129.16/32', '::/128', '::1/128', '100::/64', '2001:db8::/32', '3fff::/20'],
  ...['fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
].map(knownRange)

function widthOf({ family }: Address): number {
  return family === 4 ? 32 : 128
}

function readPrefix(text: string): number | undefined {
  return /^(?:0|[1-9][0-9]{0,2})$/.test(text) ? Number(text) : undefined
}

function readV4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let bits = 0n
  for (const part of parts) {
    // A leading zero is octal to some.
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined
    bits = (bits << 8n) | BigInt(part)
  }
  return bits
}

function readV6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2 || !text.includes(':')) return undefined
  const groups = halves.map(groupsOf)
  const [head, tail] = groups
  if (head === undefined || groups.includes(undefined)) return undefined
  const missing = 8 - head.length - (tail?.length ?? 0)
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  const all = [...head, ...Array.from({ length: missing }, () => 0n), ...(tail ?? [])]
  return all.reduce((bits, group) => (bits << 16n) | group, 0n)
}

function groupsOf(half: string): readonly bigint[] | undefined {
  if (half === '') return []
  const groups: bigint[] = []
  const parts = half.split(':')
  for (const [index, part] of parts.entries()) {
    const v4 = index === parts.length - 1 ? readV4(part) : undefined
    if (v4 !== undefined) groups.push(v4 >> 16n, v4 & 0xffffn)
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(BigInt(`0x${part}`))
    else return undefined
  }
  return groups
}

/**
 * Which server a resource belongs to, learnt from what the servers list.
 *
 * URIs keep their form, because they stand inside texts and links; the first server to list one owns it.
 */
export class UriOwners {
  readonly #exact = new Map<string, string>()
  readonly #templates: {
    readonly template: string
    readonly server: string
    readonly matches: (uri: string) => boolean
  }[] = []

  /** @returns false when another server owns it already */
  learnUri(uri: string, server: string): boolean {
    const owner = this.#exact.get(uri)
    if (owner === undefined && this.#exact.size < maxUris) this.#exact.set(uri, server)
    return owner === undefined || owner === server
  }

  learnTemplate(template: string, server: string): void {
    if (this.#templates.some((known) => known.template === template)) return
    if (this.#templates.length >= maxTemplates) return
    this.#templates.push({ template, server, matches: templateMatcher(template) })
  }

  ownerOf(uri: string): string | undefined {
    return (
      this.#exact.get(uri) ??
      this.#templates.find(({ template, matches }) => template === uri || matches(uri))?.server
    )
  }
}

/** Resource URIs that are remembered for one client session, count. */
const maxUris = 100_000
const maxTemplates = 1000

/**
 * Matches the literal parts of a URI template (RFC 6570) in order; an expression may stand for anything.
 *
 * Linear: each literal part is looked for once, from where the one before it ended.
 */
function templateMatcher(template: string): (uri: string) => boolean {
  const parts = template.split(/\{[^}]*\}/)
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  return (uri) => {
    if (parts.length === 1) return uri === first
    if (!uri.startsWith(first) || !uri.endsWith(last)) return false
    let from = first.length
    for (const part of parts.slice(1, -1)) {
      const at = uri.indexOf(part, from)
      if (at < 0) return false
      from = at + part.length
    }
    return from <= uri.length - last.length
  }
}

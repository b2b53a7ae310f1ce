import { Decimal } from '../../json/decimal.ts'
import { isJsonArray, isJsonObject } from '../../json/value.ts'
import type { JsonArray, JsonObject, JsonValue } from '../../json/value.ts'
import { limits } from '../../limits.ts'

/** What stands in a call beside a command, as a tool may write it before or behind the command. */
export interface Addenda {
  /** Lists of words, and texts alone, in the order of the call. */
  readonly lists: readonly (readonly string[])[]
  /** What is called as a program is, where a command stands elsewhere. */
  readonly programs: readonly string[]
  /** Every text of the call, and what else is in the lists. */
  readonly texts: readonly string[]
}

/**
 * Finds what a tool may write to a command: `args: [-f, /]`, `flags: "-f"`, `force: true`, at any depth.
 *
 * Under a name of words to come everything counts. Under any other name, but those of prose and of what a command reads,
 * a text or a list counts unless it is a line of words: `branch: main` may be an argument, and `then: "cp -f a b"` is a
 * command of its own.
 */
export function addendaIn(call: JsonObject): Addenda {
  const found = new Collection()
  found.member({ name: '', isOfWords: false, depth: 0 }, call)
  return found
}

const ofWords =
  /^(?:.*[._-])?(?:args?|argv|arguments?|params?|parameters?|flags?|switches|options?|opts?|rest|extras?|tail|words?|operands?|suffix|prefix|subcommands?|append|prepend|before|after)$/i
const ofProse =
  /^(?:.*[._-])?(?:description|message|comment|title|note|reason|explanation|summary|prompt|text|content|contents|body|stdin|input|data|env|environment|query)$/i
const ofProgram =
  /^(?:.*[._-])?(?:command|cmd|program|prog|executable|exe|binary|bin|argv0|entrypoint|shell|interpreter|exec|run)$/i
const lineOfWords = /^\s*\w\S*\s+\S/

class Collection implements Addenda {
  readonly lists: (readonly string[])[] = []
  readonly programs: string[] = []
  readonly texts: string[] = []

  member(place: Place, value: JsonValue): void {
    const { name, depth } = place
    if (depth > limits.maxJsonDepth) return
    if (isJsonArray(value)) this.#array(place, value)
    else if (isJsonObject(value)) this.#object(place, value)
    else if (typeof value === 'string') {
      if (ofProgram.test(name)) this.programs.push(value)
      if (name.startsWith('-')) this.#list(place, [name])
      this.#list(place, [value])
    } else if (value === true) this.#list(place, [dashed(name)])
    else if (name.startsWith('-')) this.#list(place, [name])
  }

  #object({ isOfWords, depth }: Place, object: JsonObject): void {
    for (const name of Object.keys(object)) {
      const place = { name, isOfWords: isOfWords || ofWords.test(name), depth: depth + 1 }
      this.member(place, object[name] ?? null)
    }
  }

  #array(place: Place, array: JsonArray): void {
    const words = array.map(wordOf).filter((word) => word !== undefined)
    if (words.length > 0) this.#list(place, words)
    const inner = { ...place, depth: place.depth + 1 }
    for (const item of array) if (wordOf(item) === undefined) this.member(inner, item)
  }

  #list({ name, isOfWords }: Place, words: readonly string[]): void {
    for (const word of words) this.texts.push(word)
    const isLine = words.some((word) => lineOfWords.test(word))
    if (isOfWords || (!isLine && !ofProse.test(name))) this.lists.push(words)
  }
}

/** Where in a call a value stands. */
interface Place {
  readonly name: string
  /** Whether it stands under a name of words to come. */
  readonly isOfWords: boolean
  readonly depth: number
}

/** `force: true` is `--force` to whoever makes a command of it. */
function dashed(name: string): string {
  if (name.startsWith('-')) return name
  return `${name.length === 1 ? '-' : '--'}${name.replaceAll('_', '-')}`
}

/** What an element of a list is as a word; undefined when it is none. */
function wordOf(value: JsonValue): string | undefined {
  if (typeof value === 'string') return value
  return value instanceof Decimal ? value.text : undefined
}

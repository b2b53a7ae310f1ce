import type { CodeRuleId } from '../rules.ts'
import type { GateNames } from './gates.ts'
import type { Value } from './values.ts'

/** Where a call holds something. */
export interface Place {
  /** Which argument, from 0, or the last one. */
  readonly at?: number | 'last'
  /** What it is called when it is given by its name. */
  readonly named?: string
  /** An entry of it. */
  readonly key?: string
}

/** A call, or decorator, by which a model gets a tool. */
export interface ToolRule {
  readonly framework: string
  readonly packages: readonly string[]
  /** How it is reached in them, such as `McpServer().registerTool`. */
  readonly paths: readonly string[]
  readonly rule: CodeRuleId
  /** Where the tool's name is; where none is, the name of its function. */
  readonly name?: readonly Place[]
  /** Where the functions are that do something; `decorated` for a decorator of them. */
  readonly does: readonly Place[] | 'decorated'
  /** Whether a tool without such a function is run by whoever offers it, not by this code. */
  readonly mayBeEmpty?: boolean
  /** Whether the call itself gives the tool away, whatever becomes of its answer; so it is for methods of something. */
  readonly isRegistration?: boolean
  /** Whether it is a tool only when a function is given; what is given otherwise prepares something else. */
  readonly takesFunctionsOnly?: boolean
  /** Whether its methods tell what they are by their names alone, where nothing says what they are called on. */
  readonly isTelling?: boolean
  /** Which argument says what is registered, when the call can register other things too. */
  readonly only?: {
    readonly at: number
    readonly texts: readonly string[]
    readonly paths: readonly string[]
  }
}

/** A call that gets several tools at once, as a list or by their names. */
export interface ToolsRule {
  readonly framework: string
  readonly packages: readonly string[]
  readonly paths: readonly string[]
  readonly rule: CodeRuleId
  readonly tools: readonly Place[]
  /** The entry of a tool written out there in which the function is; undefined when it is none. */
  readonly does: string | undefined
  /** Whether functions count as tools as they are. */
  readonly takesFunctions: boolean
}

/** A class whose methods are what a tool does. */
export interface ToolClassRule {
  readonly framework: string
  readonly packages: readonly string[]
  readonly paths: readonly string[]
  readonly rule: CodeRuleId
  readonly methods: readonly string[]
}

/** What connects to an MCP server. */
export interface ConnectionRule {
  readonly framework: string
  readonly packages: readonly string[]
  readonly paths: readonly string[]
  /** Where the program is, and its arguments. */
  readonly command?: readonly Place[]
  readonly args?: readonly Place[]
  /** Where a whole command line is, as one text. */
  readonly line?: readonly Place[]
  readonly url?: readonly Place[]
  /** Whether only a text or dictionary there is a connection; everything else is made elsewhere. */
  readonly isTextOnly?: boolean
  /** Where servers are by their names, each with `command` and `args`, or a URL. */
  readonly servers?: readonly Place[]
}

/** A setting that lets tools run without a question. */
export interface SwitchRule {
  readonly framework: string
  readonly packages: readonly string[]
  readonly paths: readonly string[]
  readonly at: readonly Place[]
  readonly value: string | boolean
  /** How people know it. */
  readonly shown: string
}

/** What a framework does with values, as far as the way of a tool or a connection needs it. */
export interface Carriers {
  /** Calls whose result stands for what they were given: a client for its transport. */
  readonly packages: readonly Subject[]
  /** Methods that take something in: `client.connect(transport)`. */
  readonly takingIn: ReadonlySet<string>
  /** Methods of what is carried that run no tool. */
  readonly harmless: ReadonlySet<string>
  /** Methods that give back the tools of what is carried. */
  readonly givingBack: ReadonlySet<string>
}

/** Everything that is known of the frameworks of one language. */
export interface Language {
  readonly gates: GateNames
  readonly carriers: Carriers
  readonly tools: readonly ToolRule[]
  readonly toolLists: readonly ToolsRule[]
  readonly toolClasses: readonly ToolClassRule[]
  readonly connections: readonly ConnectionRule[]
  readonly switches: readonly SwitchRule[]
  /** Whether other files can find every name at the top of a file. */
  readonly offersAll?: boolean
  /** What a parameter of a function is that is given to a call: of `createMcpHandler(server => …)`. */
  readonly callbacks: readonly Callback[]
  /** The first words of a module's name that its packages go by: `@scope/name` and `name`, or the part before a dot. */
  readonly packageOf: (module: string) => string
}

/** What the parameter of a function is, by the call it is given to. */
export interface Callback {
  readonly packages: readonly string[]
  readonly paths: readonly string[]
  readonly argument: number
  readonly parameter: number
  readonly is: { readonly module: string; readonly path: string }
}

/** Whether a call gives a tool away by itself: gating its answer comes too late. */
export function isRegistration({ isRegistration: told, paths }: ToolRule): boolean {
  return told ?? paths.every((path) => path.includes(').'))
}

/** What a rule is about. */
export interface Subject {
  readonly packages: readonly string[]
  readonly paths: readonly string[]
}

/** Whether a value is what a rule is about. */
export function isAbout(
  rule: Subject,
  value: Value,
  { packageOf }: Pick<Language, 'packageOf'>,
): boolean {
  if (value.kind !== 'outside' || !rule.packages.includes(packageOf(value.module))) return false
  return rule.paths.some((path) => endsIn(value.path, path))
}

/** Every package that some rule is about. */
export function packagesOf(language: Language): readonly string[] {
  const { tools, toolLists, toolClasses, connections, switches, callbacks } = language
  const all = [...tools, ...toolLists, ...toolClasses, ...connections, ...switches, ...callbacks]
  return [...new Set(all.flatMap(({ packages }) => packages))]
}

/** `a.b.Server().tool` ends in `Server().tool`, and `a().tool` in no `tool`: what a call gives is something else. */
function endsIn(path: string, end: string): boolean {
  if (path === end) return true
  if (!path.endsWith(`.${end}`)) return false
  return !path.slice(0, -end.length - 1).includes('(')
}

/** Functions of PostgreSQL that only compute a value from their arguments, in bounded time and space. */
const harmless: ReadonlySet<string> = new Set([
  ...'count sum avg min max array_agg string_agg json_agg jsonb_agg json_object_agg'.split(' '),
  ...'jsonb_object_agg bool_and bool_or every stddev stddev_pop stddev_samp variance'.split(' '),
  ...'var_pop var_samp corr percentile_cont percentile_disc mode row_number rank'.split(' '),
  ...'dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value'.split(' '),
  ...'lower upper initcap length char_length octet_length trim btrim ltrim rtrim left'.split(' '),
  ...'right substring substr position strpos replace concat concat_ws split_part'.split(' '),
  ...'reverse starts_with ascii md5 round ceil ceiling floor abs sign mod power sqrt'.split(' '),
  ...'exp ln log trunc div now age date_trunc date_part extract to_char to_date'.split(' '),
  ...'to_timestamp to_number make_date make_time make_timestamp make_interval timezone'.split(' '),
  ...'justify_days justify_hours justify_interval clock_timestamp unnest array_length'.split(' '),
  ...'cardinality array_to_string string_to_array array_position jsonb_array_length'.split(' '),
  ...'json_array_length json_build_object jsonb_build_object json_build_array'.split(' '),
  ...'jsonb_build_array json_extract_path_text jsonb_extract_path_text to_json to_jsonb'.split(' '),
  ...'jsonb_array_elements jsonb_array_elements_text json_array_elements'.split(' '),
])

/** Whether a function, as the parser names it, only computes. */
export function isHarmlessFunction(name: string): boolean {
  return harmless.has(name.replace(/^pg_catalog\./, ''))
}

/** Kinds of nodes that a statement which only reads or changes rows is made of; any other may do anything. */
export const knownNodes: ReadonlySet<string> = new Set([
  ...'SelectStmt InsertStmt UpdateStmt DeleteStmt MergeStmt ExplainStmt RawStmt'.split(' '),
  ...'ResTarget ColumnRef A_Const A_Star A_Expr BoolExpr NullTest BooleanTest String'.split(' '),
  ...'Integer Float Boolean BitString List TypeCast TypeName Alias FuncCall SubLink'.split(' '),
  ...'RangeVar RangeSubselect RangeFunction JoinExpr CaseExpr CaseWhen CoalesceExpr'.split(' '),
  ...'MinMaxExpr SortBy WindowDef WithClause CommonTableExpr A_ArrayExpr A_Indirection'.split(' '),
  ...'A_Indices SQLValueFunction RowExpr GroupingSet GroupingFunc ParamRef'.split(' '),
  ...'CollateClause NamedArgExpr SetToDefault MultiAssignRef IndexElem'.split(' '),
  ...'OnConflictClause InferClause MergeWhenClause DefElem'.split(' '),
])

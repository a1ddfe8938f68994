import { badValue, CommandError, failedToParse, notImplemented } from './errors.js'
import { OPERATORS } from './expression-operators.js'
import { isEqual, rankOf } from './ordering.js'
import { parsePath, type Path } from './paths.js'
import { type Doc, isDoc, isTruthy, keyOf, nameOf, newDoc, wholeNumber, type Value, displayed } from './values.js'

/** Aggregation expressions (manual: "Aggregation Operators"), compiled once into closures. */

/** What is bound while an expression runs: ROOT, and the variables of $let, $map and their like. */
export type Scope = { readonly ROOT: Value; readonly [name: string]: Value }
export type Expression = (doc: Value, scope: Scope) => Value

/** Variables known where an expression stands: a constant of the command's `let`, or LOCAL, found in the scope. */
export const LOCAL = Symbol('local')
export type Variables = { readonly [name: string]: Value | typeof LOCAL }

export const compileExpression = (source: Value, variables: Variables): Expression => {
  if (typeof source === 'string') {
    if (source.startsWith('$$')) return variable(source.slice(2), variables)
    if (source.startsWith('$')) {
      if (source === '$') throw new CommandError('Location16410', "'$' by itself is not a valid FieldPath")
      return fieldPath(parseFieldPath(source.slice(1)))
    }
    return () => source
  }
  if (Array.isArray(source)) {
    const items = source.map((item) => compileExpression(item, variables))
    return (doc, scope) => items.map((item) => item(doc, scope) ?? null)
  }
  if (!isDoc(source)) return () => source
  const keys = Object.keys(source)
  const operator = keys[0]
  if (operator?.startsWith('$')) {
    if (keys.length > 1) throw failedToParse('an expression specification must contain exactly one field')
    return operation(operator, source[operator], variables)
  }
  const fields = keys.map((key) => {
    if (nameOf(key).includes('.')) throw new CommandError('Location16410', "FieldPath field names may not contain '.'")
    return [key, compileExpression(source[key], variables)] as const
  })
  return (doc, scope) => {
    const result = newDoc()
    for (const [key, field] of fields) {
      const value = field(doc, scope)
      if (value !== undefined) result[key] = value
    }
    return result
  }
}

export const parseFieldPath = (text: string): Path => {
  if (text === '' || text.startsWith('.') || text.endsWith('.') || text.includes('..')) {
    throw new CommandError('Location16410', `FieldPath '${text}' has an empty part`)
  }
  if (text.split('.').some((part) => part.startsWith('$'))) {
    throw new CommandError('Location16410', "FieldPath field names may not start with '$'")
  }
  return parsePath(text)
}

const fieldPath = (path: Path): Expression => {
  if (path.length === 1) {
    const { key } = path[0]!
    return (doc) => (isDoc(doc) ? doc[key] : undefined)
  }
  return (doc) => valueAt(doc, path, 0)
}

/** Arrays on the way are mapped; positions are not steps here, unlike in queries. */
const valueAt = (value: Value, path: Path, depth: number): Value => {
  if (depth === path.length) return value
  if (isDoc(value)) return valueAt(value[path[depth]!.key], path, depth + 1)
  if (!Array.isArray(value)) return undefined
  const found: Value[] = []
  for (const element of value) {
    if (!isDoc(element) && !Array.isArray(element)) continue
    const inner = Array.isArray(element) && depth > 0 ? valueAt(element, path, depth) : valueAt(element, path, depth)
    if (inner !== undefined) found.push(inner)
  }
  return found
}

const variable = (text: string, variables: Variables): Expression => {
  const dot = text.indexOf('.')
  const name = dot < 0 ? text : text.slice(0, dot)
  const rest = dot < 0 ? [] : parseFieldPath(text.slice(dot + 1))
  const base = ((): Expression => {
    if (Object.hasOwn(variables, name)) {
      const bound = variables[name]
      return bound === LOCAL ? (_doc, scope) => scope[name] : () => bound
    }
    switch (name) {
      case 'ROOT':
        return (_doc, scope) => scope.ROOT
      case 'CURRENT':
        return (doc) => doc
      case 'REMOVE':
        return () => undefined
      case 'NOW': {
        const now = new Date()
        return () => now
      }
      case 'CLUSTER_TIME':
      case 'USER_ROLES':
      case 'SEARCH_META':
        throw notImplemented(`$$${name}`)
      default:
        throw new CommandError('Location17276', `Use of undefined variable: ${name}`)
    }
  })()
  return rest.length ? (doc, scope) => valueAt(base(doc, scope), rest, 0) : base
}

const operation = (operator: string, operand: Value, variables: Variables): Expression => {
  const form = FORMS[operator]
  if (form) return form(operand, variables)
  const simple = OPERATORS[operator]
  if (!simple) throw notImplemented(`the expression ${operator}`)
  const operands = Array.isArray(operand) ? operand : [operand]
  const [least, most] = simple.operands
  if (operands.length < least || operands.length > most) {
    throw new CommandError(
      'Location16020',
      `Expression ${operator} takes ${least === most ? `exactly ${least}` : `${least} to ${most}`} arguments. ${operands.length} were passed in.`,
    )
  }
  const compiled = operands.map((item) => compileExpression(item, variables))
  const { apply } = simple
  if (compiled.length === 1) {
    const [only] = compiled as [Expression]
    return (doc, scope) => apply([only(doc, scope)])
  }
  if (compiled.length === 2) {
    const [first, second] = compiled as [Expression, Expression]
    return (doc, scope) => apply([first(doc, scope), second(doc, scope)])
  }
  return (doc, scope) => apply(compiled.map((item) => item(doc, scope)))
}

/** Named operands of an expression such as $filter; anything not listed is refused. */
const named = (operator: string, operand: Value, required: string[], optional: string[] = []): Doc => {
  if (!isDoc(operand)) throw failedToParse(`${operator} only supports an object as its argument`)
  for (const key of Object.keys(operand)) {
    if (!required.includes(key) && !optional.includes(key))
      throw failedToParse(`Unrecognized parameter to ${operator}: ${key}`)
  }
  for (const key of required) if (!(key in operand)) throw failedToParse(`Missing '${key}' parameter to ${operator}`)
  return operand
}

const list = (operator: string, operand: Value, variables: Variables): Expression[] =>
  (Array.isArray(operand) ? operand : [operand]).map((item) => compileExpression(item, variables))

const arrayOrNull = (operator: string, value: Value): Value[] | null => {
  if (value === undefined || value === null) return null
  if (!Array.isArray(value)) throw badValue(`input to ${operator} must be an array`)
  return value
}

const variableName = (value: Value, fallback: string): string => {
  if (value === undefined) return fallback
  if (typeof value !== 'string' || !/^[a-z][a-zA-Z0-9_]*$/.test(value)) {
    throw failedToParse(`'${displayed(value)}' starts with an invalid character for a user variable name`)
  }
  return value
}

// Expressions that do not simply work on the values of their operands.
const FORMS: Partial<Record<string, (operand: Value, variables: Variables) => Expression>> = {
  $literal: (operand) => () => operand,
  $expr: (operand, variables) => compileExpression(operand, variables),
  $cond: (operand, variables) => {
    const parts = Array.isArray(operand)
      ? operand
      : ((doc) => [doc.if, doc.then, doc.else])(named('$cond', operand, ['if', 'then', 'else']))
    if (parts.length !== 3) throw new CommandError('Location16020', 'Expression $cond takes exactly 3 arguments.')
    const [condition, yes, no] = parts.map((part) => compileExpression(part, variables)) as [
      Expression,
      Expression,
      Expression,
    ]
    return (doc, scope) => (isTruthy(condition(doc, scope)) ? yes(doc, scope) : no(doc, scope))
  },
  $switch: (operand, variables) => {
    const { branches, default: otherwise } = named('$switch', operand, ['branches'], ['default'])
    if (!Array.isArray(branches) || branches.length === 0) throw failedToParse('$switch requires at least one branch')
    const compiled = branches.map((branch) => {
      const { case: condition, then } = named('$switch', branch, ['case', 'then'])
      return [compileExpression(condition, variables), compileExpression(then, variables)] as const
    })
    const last = otherwise === undefined ? null : compileExpression(otherwise, variables)
    return (doc, scope) => {
      for (const [condition, then] of compiled) if (isTruthy(condition(doc, scope))) return then(doc, scope)
      if (!last) throw badValue('$switch could not find a matching branch for an input, and no default was specified.')
      return last(doc, scope)
    }
  },
  $and: (operand, variables) => {
    const items = list('$and', operand, variables)
    return (doc, scope) => items.every((item) => isTruthy(item(doc, scope)))
  },
  $or: (operand, variables) => {
    const items = list('$or', operand, variables)
    return (doc, scope) => items.some((item) => isTruthy(item(doc, scope)))
  },
  $ifNull: (operand, variables) => {
    const items = list('$ifNull', operand, variables)
    if (items.length < 2) throw failedToParse('$ifNull needs at least two arguments')
    return (doc, scope) => {
      let value: Value
      for (const item of items) {
        value = item(doc, scope)
        if (value !== undefined && value !== null) return value
      }
      return value
    }
  },
  $let: (operand, variables) => {
    const { vars, in: body } = named('$let', operand, ['vars', 'in'])
    if (!isDoc(vars)) throw failedToParse('invalid parameter: expected an object (vars)')
    const bound = Object.keys(vars).map(
      (name) => [variableName(name, name), compileExpression(vars[name], variables)] as const,
    )
    const inner = compileExpression(body, { ...variables, ...Object.fromEntries(bound.map(([name]) => [name, LOCAL])) })
    return (doc, scope) =>
      inner(doc, { ...scope, ...Object.fromEntries(bound.map(([name, value]) => [name, value(doc, scope)])) })
  },
  $map: (operand, variables) => {
    const { input, as, in: body } = named('$map', operand, ['input', 'in'], ['as'])
    const name = variableName(as, 'this')
    const source = compileExpression(input, variables)
    const inner = compileExpression(body, { ...variables, [name]: LOCAL })
    return (doc, scope) =>
      arrayOrNull('$map', source(doc, scope))?.map((value) => inner(doc, { ...scope, [name]: value }) ?? null) ?? null
  },
  $filter: (operand, variables) => {
    const { input, as, cond, limit } = named('$filter', operand, ['input', 'cond'], ['as', 'limit'])
    const name = variableName(as, 'this')
    const source = compileExpression(input, variables)
    const condition = compileExpression(cond, { ...variables, [name]: LOCAL })
    const most = limit === undefined ? null : compileExpression(limit, variables)
    return (doc, scope) => {
      const kept = arrayOrNull('$filter', source(doc, scope))?.filter((value) =>
        isTruthy(condition(doc, { ...scope, [name]: value })),
      )
      const count = most && wholeNumber(most(doc, scope))
      if (most && (count === undefined || count === null || count < 1))
        throw badValue('$filter: limit must be a positive integer')
      return kept ? (count ? kept.slice(0, count) : kept) : null
    }
  },
  $reduce: (operand, variables) => {
    const { input, initialValue, in: body } = named('$reduce', operand, ['input', 'initialValue', 'in'])
    const source = compileExpression(input, variables)
    const initial = compileExpression(initialValue, variables)
    const inner = compileExpression(body, { ...variables, value: LOCAL, this: LOCAL })
    return (doc, scope) =>
      arrayOrNull('$reduce', source(doc, scope))?.reduce<Value>(
        (value, item) => inner(doc, { ...scope, value, this: item }),
        initial(doc, scope),
      ) ?? null
  },
  $getField: (operand, variables) => {
    const { field, input } =
      isDoc(operand) && 'field' in operand
        ? named('$getField', operand, ['field'], ['input'])
        : { field: operand, input: undefined }
    const name = isDoc(field) ? field.$literal : field
    if (typeof name !== 'string') throw failedToParse('$getField requires a constant string as field')
    if (name.startsWith('$') && !isDoc(field)) throw failedToParse('$getField requires a constant; use $literal')
    const source = input === undefined ? (doc: Value) => doc : compileExpression(input, variables)
    const key = keyOf(name)
    return (doc, scope) => {
      const from = source(doc, scope)
      return isDoc(from) ? from[key] : undefined
    }
  },
  $setField: (operand, variables) =>
    setField('$setField', named('$setField', operand, ['field', 'input', 'value']), variables),
  $unsetField: (operand, variables) =>
    setField('$unsetField', named('$unsetField', operand, ['field', 'input']), variables),
  $in: (operand, variables) => {
    const items = list('$in', operand, variables)
    if (items.length !== 2) throw new CommandError('Location16020', 'Expression $in takes exactly 2 arguments.')
    const [needle, haystack] = items as [Expression, Expression]
    return (doc, scope) => {
      const values = haystack(doc, scope)
      if (!Array.isArray(values)) throw badValue('$in requires an array as a second argument')
      const value = needle(doc, scope)
      const rank = rankOf(value)
      return values.some((candidate) => rankOf(candidate) === rank && isEqual(candidate, value))
    }
  },
}

const setField = (operator: string, operand: Doc, variables: Variables): Expression => {
  const name = isDoc(operand.field) ? operand.field.$literal : operand.field
  if (typeof name !== 'string') throw failedToParse(`${operator} requires a constant string as field`)
  if (name.startsWith('$') && !isDoc(operand.field))
    throw failedToParse(`${operator} requires a constant; use $literal`)
  const input = compileExpression(operand.input, variables)
  const value = operator === '$setField' ? compileExpression(operand.value, variables) : () => undefined
  const key = keyOf(name)
  return (doc, scope) => {
    const from = input(doc, scope)
    if (from === null || from === undefined) return null
    if (!isDoc(from)) throw badValue(`${operator} requires 'input' to evaluate to type Object`)
    const result = Object.assign(newDoc(), from)
    const set = value(doc, scope)
    if (set === undefined) delete result[key]
    else result[key] = set
    return result
  }
}

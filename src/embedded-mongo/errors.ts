/** MongoDB's error codes that this server uses; names as in the server's error_codes.yml. */
const CODES = {
  BadValue: 2,
  FailedToParse: 9,
  TypeMismatch: 14,
  InvalidBSON: 22,
  NamespaceNotFound: 26,
  IndexNotFound: 27,
  PathNotViable: 28,
  NotSingleValueField: 54,
  CannotIndexParallelArrays: 171,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  MaxTimeMSExpired: 50,
  DollarPrefixedFieldName: 52,
  InvalidIdField: 53,
  CommandNotFound: 59,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  WriteConflict: 112,
  CommandNotSupported: 115,
  ConversionFailure: 241,
  NotImplemented: 238,
  TransactionTooOld: 225,
  SnapshotUnavailable: 246,
  NoSuchTransaction: 251,
  OperationNotSupportedInTransaction: 263,
  ChangeStreamHistoryLost: 286,
  IndexAlreadyExists: 68,
  BSONObjectTooLarge: 10334,
  DuplicateKey: 11000,
  OutOfDiskSpace: 14031,
  Location40323: 40323,
  Location40324: 40324,
  Location15998: 15998,
  Location17276: 17276,
  Unauthorized: 13,
  InvalidLength: 16,
  UnsatisfiableWriteConcern: 100,
  Location40218: 40218,
  Location40234: 40234,
  Location40235: 40235,
  Location15955: 15955,
  Location15947: 15947,
  Location28810: 28810,
  Location28818: 28818,
  Location28811: 28811,
  Location40602: 40602,
  Location40600: 40600,
  Location40156: 40156,
  Location15956: 15956,
  Location15969: 15969,
  Location15958: 15958,
  Location15976: 15976,
  Location15959: 15959,
  Location15975: 15975,
  Location16410: 16410,
  Location16020: 16020,
  Location31249: 31249,
  Location31254: 31254,
  Location40353: 40353,
  IDLUnknownField: 40415,
  IDLFailedToParse: 40414,
  Location31002: 31002,
  Location51024: 51024,
  ShutdownInProgress: 91,
  InternalError: 1,
} as const

export type CodeName = keyof typeof CODES

/** An error with the shape that MongoDB's clients expect; `detail` is merged into the reply. */
export class CommandError extends Error {
  readonly code: number
  constructor(
    readonly codeName: CodeName,
    message: string,
    readonly detail: Record<string, unknown> = {},
  ) {
    super(message)
    this.code = CODES[codeName]
  }
}

/** Something of MongoDB's that exists but is not served here: an option, a stage, a mode of a command. */
export const notSupported = (what: string): CommandError =>
  new CommandError('CommandNotSupported', `${what} is not supported by the embedded store`)

/** An operator that is not served here, or not with these operands. */
export const notImplemented = (what: string): CommandError =>
  new CommandError('NotImplemented', `${what} is not implemented by the embedded store`)

export const badValue = (message: string): CommandError => new CommandError('BadValue', message)
export const failedToParse = (message: string): CommandError => new CommandError('FailedToParse', message)
export const typeMismatch = (message: string): CommandError => new CommandError('TypeMismatch', message)

export const writeConflict = (): CommandError =>
  new CommandError('WriteConflict', 'Write conflict during plan execution and yielding is disabled.', {
    errorLabels: ['TransientTransactionError'],
  })

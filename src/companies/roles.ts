/** Who may do what, in one table. Every route of the API names the permission that it asks for. */

/** From the most powerful to the least: nobody grants a role above their own. */
export const ROLES = ['owner', 'admin', 'supervisor', 'agent', 'viewer'] as const
export type Role = (typeof ROLES)[number]

export const PERMISSIONS = [
  'conversations:read',
  'conversations:write',
  'decisions:read',
  'knowledge:read',
  'knowledge:write',
  'channels:read',
  'channels:write',
  'people:read',
  'people:write',
  'keys:read',
  'keys:write',
  'company:read',
  'company:write',
  'service_levels:read',
  'service_levels:write',
  'reports:read',
  'companies:write',
] as const
export type Permission = (typeof PERMISSIONS)[number]

const READ = [
  'conversations:read',
  'decisions:read',
  'knowledge:read',
  'people:read',
  'company:read',
  'service_levels:read',
] as const
const ANSWER = [...READ, 'conversations:write'] as const
const SUPERVISE = [...ANSWER, 'knowledge:write', 'channels:read', 'reports:read'] as const
const ADMINISTER = [
  ...SUPERVISE,
  'channels:write',
  'people:write',
  'keys:read',
  'keys:write',
  'company:write',
  'service_levels:write',
] as const

const PERMISSIONS_OF: Record<Role, readonly Permission[]> = {
  owner: ADMINISTER,
  admin: ADMINISTER,
  supervisor: SUPERVISE,
  agent: ANSWER,
  viewer: READ,
}

/** Owners of the first company run the installation; no role within a company gives this. */
const OPERATOR_PERMISSIONS: readonly Permission[] = ['companies:write']

type Standing = { role: Role; operator: boolean }

export const permissionsOf = ({ role, operator }: Standing): readonly Permission[] =>
  operator ? [...PERMISSIONS_OF[role], ...OPERATOR_PERMISSIONS] : PERMISSIONS_OF[role]

export const may = ({ role, operator }: Standing, permission: Permission): boolean =>
  PERMISSIONS_OF[role].includes(permission) || (operator && OPERATOR_PERMISSIONS.includes(permission))

/** An admin can neither make an owner nor touch one. */
export const mayGrant = (own: Role, other: Role): boolean => ROLES.indexOf(own) <= ROLES.indexOf(other)

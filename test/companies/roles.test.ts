import { describe, expect, it } from '@jest/globals'
import {
  may,
  mayGrant,
  permissionsOf,
  PERMISSIONS,
  ROLES,
  type Permission,
  type Role,
} from '../../src/companies/roles.js'

const roles = (...names: Role[]) => names

/** Said a second time on purpose, from the side of the permission: a slip in either table shows. */
const WHO: Record<Permission, Role[]> = {
  'conversations:read': roles('owner', 'admin', 'supervisor', 'agent', 'viewer'),
  'decisions:read': roles('owner', 'admin', 'supervisor', 'agent', 'viewer'),
  'knowledge:read': roles('owner', 'admin', 'supervisor', 'agent', 'viewer'),
  'people:read': roles('owner', 'admin', 'supervisor', 'agent', 'viewer'),
  'company:read': roles('owner', 'admin', 'supervisor', 'agent', 'viewer'),
  'conversations:write': roles('owner', 'admin', 'supervisor', 'agent'),
  'knowledge:write': roles('owner', 'admin', 'supervisor'),
  'channels:read': roles('owner', 'admin', 'supervisor'),
  'channels:write': roles('owner', 'admin'),
  'people:write': roles('owner', 'admin'),
  'keys:read': roles('owner', 'admin'),
  'keys:write': roles('owner', 'admin'),
  'company:write': roles('owner', 'admin'),
  'service_levels:read': roles('owner', 'admin', 'supervisor', 'agent', 'viewer'),
  'service_levels:write': roles('owner', 'admin'),
  'reports:read': roles('owner', 'admin', 'supervisor'),
  'companies:write': [],
}

describe('roles', () => {
  it.each(PERMISSIONS)('give %s to exactly those who need it', (permission) => {
    expect(ROLES.filter((role) => may({ role, operator: false }, permission))).toEqual(WHO[permission])
  })

  it('let nobody but an operator add companies', () => {
    expect(ROLES.some((role) => may({ role, operator: false }, 'companies:write'))).toBe(false)
    expect(may({ role: 'viewer', operator: true }, 'companies:write')).toBe(true)
    expect(permissionsOf({ role: 'owner', operator: true })).toContain('companies:write')
  })

  it('let nobody grant a role above their own', () => {
    expect(ROLES.filter((role) => mayGrant('owner', role))).toEqual([...ROLES])
    expect(ROLES.filter((role) => mayGrant('admin', role))).toEqual(['admin', 'supervisor', 'agent', 'viewer'])
    expect(mayGrant('agent', 'supervisor')).toBe(false)
  })
})

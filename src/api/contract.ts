import { channelRoutes } from './contract/channels.js'
import { companyRoutes, keyRoutes, peopleRoutes, setupRoutes } from './contract/companies.js'
import { contactRoutes } from './contract/contacts.js'
import { conversationRoutes } from './contract/conversations.js'
import { knowledgeRoutes } from './contract/knowledge.js'
import { reportRoutes } from './contract/reports.js'
import { hoursRoutes, policyRoutes } from './contract/service-levels.js'
import { teamRoutes } from './contract/teams.js'

/** The whole API by noun. The public APIs of channels join at start: they belong to the channels. */
export const contract = {
  knowledge: knowledgeRoutes,
  conversations: conversationRoutes,
  contacts: contactRoutes,
  companies: companyRoutes,
  people: peopleRoutes,
  teams: teamRoutes,
  keys: keyRoutes,
  channels: channelRoutes,
  hours: hoursRoutes,
  policies: policyRoutes,
  reports: reportRoutes,
  setup: setupRoutes,
}

import { ActionIcon, Button, NativeSelect, Switch, TextInput } from '@mantine/core'
import '@mantine/core/styles/InlineInput.layer.css'
import '@mantine/core/styles/Switch.layer.css'
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash, IconX } from '@tabler/icons-react'
import { useId, useState } from 'react'
import { useLanguage, useT } from '../languages/index.js'
import { useChannels, useTeams } from '../server/queries.js'
import { shownDuration, readDuration } from '../ui/duration.js'
import { Choices } from './choices.js'
import { useFaultAt } from './draft.js'
import { ATTRIBUTES, CLOCKS, PAUSABLE, PRIORITIES, type PolicyDraft } from './policies-words.js'

type Props = {
  index: number
  count: number
  policy: PolicyDraft
  change: (policy: PolicyDraft) => void
  move: (by: 1 | -1) => void
  remove: () => void
}

/** One promise: to whom, how soon, and how that is counted. */
export const PolicyEditor = ({ index, count, policy, change, move, remove }: Props) => {
  const t = useT()
  const faultAt = useFaultAt()
  const path = `policies.${index}`
  const { name, time, pausedIn, warningPercent, countAssistantReplies, setsPriority } = policy
  const called = name || t('policies.unnamed')
  const fault = faultAt(path) ?? faultAt(`${path}.when`) ?? faultAt(`${path}.id`) ?? faultAt(`${path}.targets`)
  return (
    <li className="card promise-card policy" aria-label={called}>
      <div className="row policy-head">
        <span className="policy-number" aria-hidden>
          {index + 1}
        </span>
        <TextInput
          className="grow"
          aria-label={t('policies.name')}
          maxLength={120}
          value={name}
          error={faultAt(`${path}.name`)}
          onChange={(event) => change({ ...policy, name: event.currentTarget.value })}
        />
        <ActionIcon
          variant="subtle"
          color="gray"
          disabled={index === 0}
          aria-label={t('policies.up', { name: called })}
          onClick={() => move(-1)}
        >
          <IconArrowUp size={17} aria-hidden />
        </ActionIcon>
        <ActionIcon
          variant="subtle"
          color="gray"
          disabled={index === count - 1}
          aria-label={t('policies.down', { name: called })}
          onClick={() => move(1)}
        >
          <IconArrowDown size={17} aria-hidden />
        </ActionIcon>
        <ActionIcon variant="subtle" color="gray" aria-label={t('policies.remove', { name: called })} onClick={remove}>
          <IconTrash size={17} aria-hidden />
        </ActionIcon>
      </div>
      {fault && (
        <p className="small bad-text" role="alert">
          {fault}
        </p>
      )}
      <Conditions path={`${path}.when`} policy={policy} change={change} />
      <Targets path={`${path}.targets`} policy={policy} change={change} />
      <div className="policy-measure">
        <NativeSelect
          label={t('policies.time')}
          description={t(`policies.${time}Hint`)}
          value={time}
          data={(['business', 'calendar'] as const).map((value) => ({ value, label: t(`policies.${value}`) }))}
          onChange={(event) => change({ ...policy, time: event.currentTarget.value as typeof time })}
        />
        <TextInput
          label={t('policies.warning')}
          description={t('policies.warningHint')}
          inputMode="decimal"
          rightSection={<span aria-hidden>%</span>}
          value={warningPercent}
          error={faultAt(`${path}.warningShare`)}
          onChange={(event) =>
            change({ ...policy, warningPercent: event.currentTarget.value.replaceAll(/[^\d.,]/g, '') })
          }
        />
        <NativeSelect
          label={t('policies.setsPriority')}
          description={t('policies.setsPriorityHint')}
          value={setsPriority}
          data={[
            { value: '', label: t('policies.asUsual') },
            ...PRIORITIES.map((value) => ({ value, label: t(`priority.${value}`) })),
          ]}
          onChange={(event) => change({ ...policy, setsPriority: event.currentTarget.value as typeof setsPriority })}
        />
        <Choices
          label={t('policies.pausedIn')}
          options={PAUSABLE.map((value) => ({ value, label: t(`state.${value}`) }))}
          chosen={pausedIn}
          fault={faultAt(`${path}.pausedIn`, 'within')}
          change={(next) => change({ ...policy, pausedIn: next })}
        />
      </div>
      <Switch
        label={t('policies.countAssistant')}
        description={t('policies.countAssistantHint')}
        checked={countAssistantReplies}
        onChange={(event) => change({ ...policy, countAssistantReplies: event.currentTarget.checked })}
      />
    </li>
  )
}

type PartProps = { path: string; policy: PolicyDraft; change: (policy: PolicyDraft) => void }

const Conditions = ({ path, policy, change }: PartProps) => {
  const t = useT()
  const faultAt = useFaultAt()
  const channels = useChannels()
  const { when } = policy
  const set = (next: Partial<PolicyDraft['when']>) => change({ ...policy, when: { ...when, ...next } })
  const everybody = Object.values(when).every((one) => one.length === 0)
  // Not closed under the hands of whoever empties its last field.
  const [open, setOpen] = useState(!everybody)
  const list = (name: 'tier' | 'tag' | 'language') => (
    <TextInput
      label={t(`policies.${name}`)}
      description={t(`policies.${name}Hint`)}
      maxLength={2_000}
      value={when[name]}
      error={faultAt(`${path}.${name}`, 'within')}
      onChange={(event) => set({ [name]: event.currentTarget.value })}
    />
  )
  const teams = useTeams()
  const known = channels.data ?? []
  const gone = when.channel.filter((id) => !known.some((one) => one.id === id))
  return (
    <details
      className="conditions"
      open={open || Boolean(faultAt(path, 'within'))}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        {t('policies.when')} <span className="soft">{everybody ? t('policies.everybody') : t('policies.allHold')}</span>
      </summary>
      <div className="policy-conditions">
        {list('tag')}
        {list('tier')}
        {list('language')}
        <Choices
          label={t('policies.channel')}
          options={[
            ...known.map(({ id, name, kind }) => ({ value: id, label: name || kind })),
            ...gone.map((id) => ({ value: id, label: id })),
          ]}
          chosen={when.channel}
          fault={faultAt(`${path}.channel`, 'within')}
          change={(channel) => set({ channel })}
        />
        {(teams.data?.length ?? 0) + when.team.length > 0 && (
          <Choices
            label={t('policies.team')}
            options={[
              ...(teams.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
              ...when.team
                .filter((id) => teams.data && !teams.data.some((one) => one.id === id))
                .map((id) => ({ value: id, label: id })),
            ]}
            chosen={when.team}
            fault={faultAt(`${path}.team`, 'within')}
            change={(team) => set({ team })}
          />
        )}
        <Choices
          label={t('policies.priority')}
          options={PRIORITIES.map((value) => ({ value, label: t(`priority.${value}`) }))}
          chosen={when.priority}
          fault={faultAt(`${path}.priority`, 'within')}
          change={(priority) => set({ priority })}
        />
        <Attributes
          path={`${path}.attributes`}
          attributes={when.attributes}
          change={(attributes) => set({ attributes })}
        />
      </div>
    </details>
  )
}

type Attribute = PolicyDraft['when']['attributes'][number]

const Attributes = ({
  path,
  attributes,
  change,
}: {
  path: string
  attributes: readonly Attribute[]
  change: (attributes: Attribute[]) => void
}) => {
  const t = useT()
  const faultAt = useFaultAt()
  const put = (index: number, next: Attribute) => change(attributes.map((one, at) => (at === index ? next : one)))
  return (
    <div role="group" aria-label={t('policies.attributes')} className="stack attribute-rows">
      <span className="label">{t('policies.attributes')}</span>
      {attributes.map((attribute, index) => (
        <div className="row" key={index}>
          <NativeSelect
            aria-label={t('policies.attribute')}
            value={attribute.name}
            data={[...new Set([...ATTRIBUTES, attribute.name])].map((value) => ({
              value,
              label: isAttribute(value) ? t(`attribute.${value}`) : value,
            }))}
            onChange={(event) => put(index, { ...attribute, name: event.currentTarget.value })}
          />
          <TextInput
            className="grow"
            aria-label={t('policies.values')}
            placeholder={attribute.name === 'verified' ? 'true' : ''}
            error={faultAt(`${path}.${index}`, 'within')}
            value={attribute.values}
            onChange={(event) => put(index, { ...attribute, values: event.currentTarget.value })}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('policies.removeAttribute', { name: attribute.name })}
            onClick={() => change(attributes.filter((_, at) => at !== index))}
          >
            <IconX size={15} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      <Button
        variant="subtle"
        size="compact-xs"
        leftSection={<IconPlus size={14} aria-hidden />}
        onClick={() => change([...attributes, { name: 'email', values: '' }])}
      >
        {t('policies.addAttribute')}
      </Button>
    </div>
  )
}

const isAttribute = (name: string): name is (typeof ATTRIBUTES)[number] => ATTRIBUTES.some((one) => one === name)

const Targets = ({ path, policy, change }: PartProps) => {
  const t = useT()
  const language = useLanguage()
  const faultAt = useFaultAt()
  const hint = useId()
  const { targets } = policy
  return (
    <div className="targets">
      <table>
        <caption className="hidden">{t('policies.targets')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('common.priority')}</th>
            {CLOCKS.map((clock) => (
              <th scope="col" key={clock}>
                {t(`due.${clock}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {PRIORITIES.map((priority) => (
            <tr key={priority}>
              <th scope="row">{t(`priority.${priority}`)}</th>
              {CLOCKS.map((clock) => {
                const typed = targets[priority][clock]
                const read = readDuration(typed)
                const fault = read === undefined ? t('policies.unreadable') : faultAt(`${path}.${priority}.${clock}`)
                return (
                  <td key={clock}>
                    <TextInput
                      size="xs"
                      dir="ltr"
                      aria-label={`${t(`priority.${priority}`)}: ${t(`due.${clock}`)}`}
                      aria-describedby={hint}
                      placeholder="–"
                      maxLength={20}
                      value={typed}
                      error={fault}
                      title={read === null || read === undefined ? '' : shownDuration(language, read)}
                      onChange={(event) =>
                        change({
                          ...policy,
                          targets: {
                            ...targets,
                            [priority]: { ...targets[priority], [clock]: event.currentTarget.value },
                          },
                        })
                      }
                    />
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <p className="small soft" id={hint}>
        {t('policies.targetsHint')}
      </p>
    </div>
  )
}

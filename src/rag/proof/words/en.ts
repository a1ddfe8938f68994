import type { Lexicon } from '../words.js'

export const en: Lexicon = {
  operators: {
    not: 'not | anything but | no | nor | neither | none | nobody | no one | nothing | nowhere | no longer | unable to | fails to | failed to | fail to',
    never: 'never | at no time',
    without: 'without',
    except:
      'except | everything but | all but | anything except | except for | except that | excluding | apart from | aside from | other than | with the exception of',
    unless: 'unless',
    despite: 'despite | in spite of | regardless of',
    only: 'only | solely | exclusively | nothing but | merely',
    if: 'if | provided that | as long as | so long as | in case | on condition that | assuming',
    may: 'may | might | could | possibly | perhaps | potentially | maybe',
    can: 'can | able to | allowed to | permitted to | possible to',
    must: 'must | have to | has to | had to | need to | needs to | needed to | required to | obliged to | shall',
    should: 'should | ought to',
    hedge: `almost | nearly | probably | likely | unlikely | allegedly | reportedly | supposedly | apparently | believed | believe | believes | think | thinks | thought | assume | assumes | assumed | pretend | pretends | claim | claims | claimed
      | argue | argues | argued | alleged | suggest | suggests | suggested | planned | plans to | expected | proposed | partially | partly | rumoured | rumored | used to be | used to work | used to have | used to support | used to offer | used to include | used to accept | used to allow | tried to | tries to | attempted to`,
    all: 'all | every | each | everyone | everybody | everything | any | anyone | anybody',
    most: 'most | the majority of | a majority of',
    many: 'many | several | various | numerous | multiple | a lot of | lots of',
    some: 'some | certain | a few | a number of | someone | somebody',
    few: 'few | very few',
    always: 'always | at all times',
    usually: 'usually | generally | typically | normally | mostly | in most cases | in general',
    often: 'often | frequently',
    sometimes: 'sometimes | occasionally | in some cases',
    rarely:
      'rarely | seldom | hardly | barely | scarcely | hardly ever | almost never | rarely if ever | scarcely ever | next to never',
    atLeast: `at least | no less than | no fewer than | not less than | not fewer than | a minimum of | minimum of | minimum | or more | or above
      | and above | and up | or older | or later | and later | or newer | and newer | or higher | and higher | upwards`,
    atMost:
      'at most | no more than | not more than | up to | a maximum of | maximum of | maximum | max | or less | or fewer | no later than | not later than',
    within: 'within',
    moreThan: 'more than | over# | above# | exceeding# | greater than | in excess of',
    lessThan: 'less than | fewer than | under# | below#',
    about: 'about# | around# | approximately | roughly | circa | some# | nearly# | almost# | approx',
    more: 'more',
    less: 'less | fewer',
    before: 'before | prior to | ahead of',
    after: 'after | afterwards',
    until: 'until | till',
    since: 'since',
    over: 'over | above | on top of',
    under: 'under | below | beneath | underneath',
    off: 'off',
    out: 'out',
    up: 'up',
    down: 'down',
  },
  neutral:
    'not only | whether or not | no matter | at all | not to mention | all of | as well as | more or less | so far | as of | need not only | such as | as soon as',
  framing: `yes | sure | certainly | of course | absolutely | great question | good question | thanks for asking | thank you for your question
    | thank you for asking | happy to help | please note that | please note | note that | please be aware that | please | in short | in summary | to summarise | to summarize | in other words | that said
    | to do this | to do so | to do that | here is how | according to the documentation | according to our documentation | according to the docs
    | according to our policy | according to the policy | according to the passage | according to the article | according to our records
    | based on the documentation | based on our documentation | based on the information available | as stated in the documentation | as described in the documentation
    | in addition | additionally | furthermore | moreover | also | however | therefore | thus | then | next | finally | first | in general terms
    | the documentation says that | the documentation states that | our documentation says that | the article says that | i can confirm that | we can confirm that | i am happy to tell you that | good news | hello | hi | hi there | hey
    | keep in mind that | remember that | as far as i can see | for your information | to answer your question | just so you know | it is worth noting that`,
  addable: `please simply also additionally furthermore moreover however therefore thus hence then next finally namely indeed go use using do did does
    step steps way option button link page section field menu tab information details regarding concerning would will like want wish
    documentation docs article guide manual website here there named called located situated order`,
  joints: 'and or but while whereas which who whom whose when where because although though if unless so then nor',
  prepositions: `of in on at by for from to with without into onto about against between during through over under until till since after before per via
    than as within upon among across toward towards above below behind near beside despite like`,
  agent: 'by',
  passive: 'is are was were be been being get gets got',
  you: 'you your yours yourself',
  we: 'we us our ours i me my',
  third: 'he she it they him her them his its their theirs this that these those who which one',
  customer:
    'customer customers user users client clients buyer buyers shopper shoppers person people visitor visitors one anyone everyone',
  pointing: 'the this that these those such its their his her',
  same: `buy bought purchase purchased | begin began begun start started commence | end finish conclude | phone telephone | call ring | email mail e-mail | cellphone mobile
    | refund reimburse reimbursement money-back | cost price charge fee | pay paid payment | send sent ship shipped dispatch | deliver delivery delivered | get got obtain receive received
    | keep kept retain | lose lost | win won | beat beaten defeat defeated | choose chose chosen select pick | write wrote written | give gave given provide provided supply | take took taken
    | make made create created | find found locate | build built construct constructed | hold held | lead led | lie lay | leave left | meet met | tell told | say said state stated | see saw seen | know knew known
    | grow grew grown | become became | come came | go went gone | run ran | bring brought | teach taught | think thought | sell sold | spend spent | stand stood | understand understood
    | fall fell fallen | rise rose risen | draw drew drawn | break broke broken | speak spoke spoken | show showed shown display displayed | drive drove driven | fly flew flown | throw threw thrown | wear wore worn
    | help assist assistance support | answer reply respond response | ask enquire inquire | open opened | close closed shut | change modify alter edit | remove delete erase | fix repair | job work
    | quick fast rapid | big large | small little | free complimentary gratis | allow permit let enable | forbid prohibit ban | need require requires required | item product article goods | parcel package
    | sign-in login log-in | signin login | signout logout | account profile | shop store | webpage website site | picture photo image | movie film | company firm business | child children | person people | man men | woman women
    | approximately about | also too | while whilst | because since | although though | however but | percent per-cent | day days | hour hours hr hrs | minute minutes min mins | second seconds sec secs
    | kilometre kilometer kilometres kilometers km | metre meter metres meters | centimetre centimeter cm | kilogram kilograms kg | gram grams | litre liter litres liters | mile miles | foot feet
    | gigabyte gigabytes gb | megabyte megabytes mb | kilobyte kilobytes kb | terabyte terabytes tb | colour color | cancel cancellation cancelled canceled | organisation organization | licence license | centre center
    | united-states us usa | united-kingdom uk | television tv | info information | photo photograph | maximum max | minimum min | use used utilize utilise make-use-of makes-use-of made-use-of making-use-of | called known-as | child kid | because-of due-to owing-to | for-example for-instance | sign-up register enroll enrol | log-out sign-out | fill-in fill-out | get-in-touch contact | working-day working-days business-day business-days workday | free free-of-charge at-no-cost | make-sure ensure | contact reach | happen occur occurred | entire whole | about regarding concerning`,
  narrowing: {
    respectively: 'respectively',
    ranges: 'to and or',
    ages: 'years year',
    and: 'and',
    per: 'per',
    every: 'a an all every each',
    periods: 'second minute hour day night week month quarter year user person seat',
    when: 'when whenever once',
    opening: 'when whenever once provided given should upon as',
    purposes: 'to',
    granted: 'free allowed permitted possible available valid included accepted open covered supported refundable',
    partitive: 'of by to',
    discourse:
      'example instance addition fact general result contrast hand words particular short summary conclusion turn default rule first place moment now',
    relative: 'who whom whose which that',
    past: 'was were had did been became',
    pastForms: 'began came went grew fell rose wrote gave took saw knew spoke drove flew threw drew',
    pastEnding: '\\p{L}{3}ed',
    present: 'is are be can may must will shall have has do does you your we our',
  },
}

import type { Words } from '../words.js'
import type { words as english } from './en.js'

export const words: Words<typeof english> = {
  setUp: {
    title: 'أنشئ حسابك',
    welcome: 'مرحبًا بك في {{company}}',
    invitedText: 'وصلتك دعوة. اختر كلمة مرور وتكون قد دخلت.',
    ownerText: 'أنت أول مالك لهذا النظام. يعمل هذا الرابط مرة واحدة.',
    noLink: 'تحتاج هذه الصفحة إلى الرابط الذي أُعطي لك ويعمل مرة واحدة.',
    spent: 'هذا الرابط لا يفتح شيئًا',
    nameHint: 'كما يراك العملاء والزملاء.',
    passwordHint: '12 حرفًا على الأقل. إن كنت تدخل هنا لشركة أخرى فاكتب كلمة مرورها.',
    create: 'إنشاء الحساب',
  },
}

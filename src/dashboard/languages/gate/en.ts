export const words = {
  setUp: {
    title: 'Set up your account',
    welcome: 'Welcome to {{company}}',
    invitedText: 'You were invited. Choose a password and you are in.',
    ownerText: 'You are the first owner of this installation. This link works once.',
    noLink: 'This page needs the one-time link that was given to you.',
    spent: 'This link does not open anything',
    nameHint: 'As customers and colleagues see you.',
    passwordHint: 'At least 12 characters. If you already sign in here for another company, give that password.',
    create: 'Create account',
  },
}

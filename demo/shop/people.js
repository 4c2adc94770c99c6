/** Who may sign in: an id, and what `identify` is told about it. */
export const PEOPLE = [
  {
    userId: 'ada',
    profile: {
      firstName: 'Ada',
      lastName: 'Lindqvist',
      email: 'ada@example.com',
      phone: '+46701234567',
      birthDate: new Date(1988, 3, 12),
      emailOptIn: true,
      attributes: { Plan: 'Premium', 'Loyalty points': 420, 'Member since': new Date(2021, 8, 1) },
    },
  },
  {
    userId: 'bruno',
    profile: {
      firstName: 'Bruno',
      lastName: 'Costa',
      email: 'bruno@example.com',
      phone: '+551155256325',
      company: 'Costa & Filhos',
      emailOptIn: false,
      attributes: { Plan: 'Basic', 'Loyalty points': 35, Interests: ['Kitchen', 'Home'] },
    },
  },
  {
    userId: 'chiyo',
    profile: {
      firstName: 'Chiyo',
      lastName: 'Mori',
      email: 'chiyo@example.com',
      gender: 'female',
      smsOptIn: true,
      attributes: { Plan: 'Basic', 'Loyalty points': 0, Newsletter: true },
    },
  },
];

export function personById(userId) {
  return PEOPLE.find((person) => person.userId === userId);
}

export const ChannelsScreen = () => null

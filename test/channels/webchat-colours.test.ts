import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { coloursOf, contrast } from '../../src/channels/webchat/colours.js'

const hex = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`)

describe('a company’s colour', () => {
  it('is compared as WCAG defines it', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21)
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
  })

  it('can be written on and read, whatever it is', () => {
    fc.assert(
      fc.property(hex, (color) => {
        const { fill, onFill, textOnLight, textOnDark } = coloursOf(color)
        expect(fill).toBe(color)
        expect(contrast(fill, onFill)).toBeGreaterThanOrEqual(4.5)
        for (const surface of ['#ffffff', '#f4f3ef']) expect(contrast(textOnLight, surface)).toBeGreaterThanOrEqual(4.5)
        for (const surface of ['#191d1c', '#262b29']) expect(contrast(textOnDark, surface)).toBeGreaterThanOrEqual(4.5)
      }),
    )
  })

  it('is kept where it can be read already', () => {
    expect(coloursOf('#0f6a58')).toMatchObject({ onFill: '#ffffff', textOnLight: '#0f6a58' })
    expect(coloursOf('#ffd400').onFill).toBe('#000000')
  })
})

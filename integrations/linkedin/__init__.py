"""LinkedIn Lead Gen: what people send by LinkedIn's forms becomes contacts and leads.

    api, files, inbound   three ways in: LinkedIn's API, Campaign Manager's files, a signed address of our own
      → responses         one plain form for what came, however odd
      → storing           a row per submission, once, whichever way and however often it comes
      → processing        mapped, matched, consent written, lead made: in sets, once per submission

`syncing` pulls by the schedule, `push` takes LinkedIn's notifications, `gaps` compares with LinkedIn's own counts,
`rerun` applies a changed mapping to what is stored.
"""

"""Answers from the record: pages of a search, what they include, history, who refers to whom.

Read in this order: `find`, `include` with `canonicals` and `versions`, `history`, `cursors` and
`retention` (links to the next page), `compartments`, `referrers`.
"""

"""Leads: expressions of interest on their way from marketing to sales, and the work of sales on them."""

from leads.models.stages import CLOSED_STAGES, SOURCES, Stage  # isort: skip (the others name the stages)
from leads.models.imports import Import, ImportMapping, ImportPiece
from leads.models.leads import UNSCORED, Assignment, Lead, StageChange
from leads.models.sales import Activity, Opportunity
from leads.models.territories import Territory, TerritoryMember

__all__ = [
    "CLOSED_STAGES",
    "SOURCES",
    "UNSCORED",
    "Activity",
    "Assignment",
    "Import",
    "ImportMapping",
    "ImportPiece",
    "Lead",
    "Opportunity",
    "Stage",
    "StageChange",
    "Territory",
    "TerritoryMember",
]

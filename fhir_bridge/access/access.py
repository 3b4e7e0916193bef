"""Who may see what, as one frozen value that is applied inside every query.

A caller is given everything, nothing, or the compartments of some patients
(https://hl7.org/fhir/R4/compartmentdefinition-patient.html) plus types that hold no
patient's data.  It fails closed: what is not allowed is not seen, and absent and forbidden
look alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["SHARED_TYPES", "Access"]

SHARED_TYPES = frozenset({
    "ActivityDefinition", "CapabilityStatement", "ChargeItemDefinition", "CodeSystem",
    "CompartmentDefinition", "ConceptMap", "Endpoint", "GraphDefinition", "HealthcareService",
    "ImplementationGuide", "InsurancePlan", "Library", "Location", "Measure", "Medication",
    "MedicationKnowledge", "NamingSystem", "ObservationDefinition", "OperationDefinition",
    "Organization", "OrganizationAffiliation", "PlanDefinition", "Practitioner",
    "PractitionerRole", "Questionnaire", "SearchParameter", "SpecimenDefinition",
    "StructureDefinition", "StructureMap", "Substance", "TerminologyCapabilities", "ValueSet",
})  # fmt: skip
"""Types that describe the service, not a person: visible beside a patient's compartment."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a caller may see.

    `patient_ids` None: no limit by compartment.  `types` None: no limit by type.  `shared`
    are the types that are visible outside of compartments when `patient_ids` limits.
    """

    patient_ids: frozenset[str] | None = None
    types: frozenset[str] | None = None
    shared: frozenset[str] = SHARED_TYPES

    @classmethod
    def everything(cls) -> Access:
        """No limit: the operator, the pipeline."""
        return _EVERYTHING

    @classmethod
    def nothing(cls) -> Access:
        """Sees nothing at all."""
        return _NOTHING

    @classmethod
    def patients(cls, ids: Iterable[str], *, shared: frozenset[str] = SHARED_TYPES) -> Access:
        """Sees the compartments of these patients, and the `shared` types."""
        return cls(patient_ids=frozenset(ids), shared=shared)

    def only_types(self, types: Iterable[str]) -> Access:
        """The same, further limited to `types`."""
        wanted = frozenset(types)
        kept = wanted if self.types is None else self.types & wanted
        return Access(self.patient_ids, kept, self.shared)

    @property
    def is_everything(self) -> bool:
        """Whether no query needs a limit."""
        return self.patient_ids is None and self.types is None

    def allows_type(self, resource_type: str) -> bool:
        """Whether some resource of the type could be visible."""
        return self.types is None or resource_type in self.types

    def needs_compartment(self, resource_type: str) -> bool:
        """Whether a resource of the type is visible only as member of a compartment."""
        return self.patient_ids is not None and resource_type not in self.shared


_EVERYTHING = Access()
_NOTHING = Access(patient_ids=frozenset(), types=frozenset(), shared=frozenset())

"""Applications (办事申请): what is asked for, brought, accepted, decided, and until when."""
